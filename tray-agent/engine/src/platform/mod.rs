//! What differs between operating systems: starting a program so that it cannot outlive the engine and never gets in
//! the way of the person at the desk.
//!
//! In: a command. Out: a [`Child`]. What must hold: the child dies when the handle is dropped and when the engine dies,
//! however it dies; it runs at the lowest priority that needs no special right.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
mod memory;
#[cfg(all(unix, not(target_os = "linux")))]
mod other_unix;
#[cfg(all(test, any(target_os = "linux", target_os = "macos", windows)))]
mod portable;
#[cfg(all(unix, any(test, not(target_os = "linux"))))]
pub mod undertaker;
#[cfg(unix)]
mod unix_child;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::die_with_parent;
#[cfg(target_os = "linux")]
use linux::{let_others_first, prepare};
#[cfg(target_os = "macos")]
pub use macos::{cpu_seconds, running_cpu_seconds};
pub use memory::{children_cpu_seconds, free_bytes, total_bytes};
#[cfg(all(unix, not(target_os = "linux")))]
use other_unix::prepare;
#[cfg(unix)]
pub use unix_child::{Child, Group};
#[cfg(windows)]
pub use windows::{Child, Group, cpu_seconds, jobs_cpu_seconds};

use std::{
    io,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc,
    },
};

#[cfg(unix)]
use tokio::process::Command;
use tokio::{runtime::Handle, sync::oneshot};

/// Somebody sits at this machine: programs get only what nothing else wants of the processor, not even the percent that the
/// lowest priority leaves them beside a busy one. Holds for programs that are started from now on.
pub fn beside_a_person() {
    BESIDE_A_PERSON.store(true, Ordering::Relaxed);
}

fn is_beside_a_person() -> bool {
    BESIDE_A_PERSON.load(Ordering::Relaxed)
}

/// Only Linux lowers the priority of one thread without more ado; elsewhere a moment of work is a moment of work.
#[cfg(not(target_os = "linux"))]
fn let_others_first() {}

static BESIDE_A_PERSON: AtomicBool = AtomicBool::new(false);

/// Programs that are started from now on share so many cores, the same ones for all of them, however many threads they have;
/// absent, there is no cap. macOS cannot keep a program to some cores: there, only the number of threads follows from a cap.
pub fn keep_to_cores(most: Option<u32>) {
    MOST_CORES.store(most.unwrap_or(0), Ordering::Relaxed);
}

#[cfg(any(target_os = "linux", windows))]
pub(crate) fn most_cores() -> Option<u32> {
    Some(MOST_CORES.load(Ordering::Relaxed)).filter(|most| *most > 0)
}

/// 0 is no cap.
static MOST_CORES: AtomicU32 = AtomicU32::new(0);

type SpawnOrder = Box<dyn FnOnce() + Send>;

/// Runs `work` on the thread that starts programs.
///
/// Linux kills a child on the death of the *thread* that started it, and threads of an async runtime come and go: so one
/// thread that lives as long as the process starts them all.
///
/// # Errors
/// When that thread is gone.
pub async fn on_spawner<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    static ORDERS: OnceLock<mpsc::Sender<SpawnOrder>> = OnceLock::new();
    let orders = ORDERS.get_or_init(|| {
        let (orders, received) = mpsc::channel::<SpawnOrder>();
        // Should the thread not start, the channel is closed and every spawn says so below.
        let _ = std::thread::Builder::new().name("spawner".to_owned()).spawn(move || {
            for order in received {
                order();
            }
        });
        orders
    });
    let (answer, answered) = oneshot::channel();
    let runtime = Handle::current();
    let gone = || io::Error::other("the thread that starts programs is gone");
    orders
        .send(Box::new(move || {
            let _guard = runtime.enter();
            // If nobody waits any more, dropping the child kills it.
            let _ = answer.send(work());
        }))
        .map_err(|_| gone())?;
    answered.await.map_err(|_| gone())
}

/// Runs `work`, which computes for a while, on a thread of its own; beside a person that lets others come first, and yet comes to
/// an end on a busy machine.
///
/// # Errors
/// When there is no thread to be had, or `work` panics.
pub async fn unhurried<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let (answer, answered) = oneshot::channel();
    std::thread::Builder::new().name("unhurried".to_owned()).spawn(move || {
        if is_beside_a_person() {
            let_others_first();
        }
        // Nobody may want to know any more.
        let _ = answer.send(work());
    })?;
    answered.await.map_err(|_| io::Error::other("a thread ended in the middle of its work"))
}

/// Starts `command`, lowest priority, tied to the life of this process. `prepare` adds what the child is to do last before
/// the program begins.
///
/// # Errors
/// What the operating system says when the program cannot be started.
#[cfg(unix)]
pub fn start_with(mut command: Command, prepare_last: impl FnOnce(&mut Command)) -> io::Result<Child> {
    command.kill_on_drop(true);
    prepare(&mut command);
    prepare_last(&mut command);
    let child = Child::new(command.spawn()?);
    #[cfg(not(target_os = "linux"))]
    child.dies_with_engine()?;
    Ok(child)
}

#[cfg(windows)]
pub use windows::start_with;

#[cfg(all(test, target_os = "linux"))]
mod tests;
