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
use linux::prepare;
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
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

#[cfg(unix)]
use tokio::process::Command;
use tokio::{runtime::Handle, sync::oneshot};

/// Somebody sits at this machine: programs get only what nothing else wants of the processor, not even the percent that the
/// lowest priority leaves them beside a busy one (`SCHED_IDLE` on Linux). Holds for programs that are started from now on.
pub fn beside_a_person() {
    BESIDE_A_PERSON.store(true, Ordering::Relaxed);
}

#[cfg(target_os = "linux")]
fn is_beside_a_person() -> bool {
    BESIDE_A_PERSON.load(Ordering::Relaxed)
}

static BESIDE_A_PERSON: AtomicBool = AtomicBool::new(false);

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

/// Starts `command`, lowest priority, tied to the life of this process. `prepare` adds what the child is to do last before
/// the program begins.
///
/// # Errors
/// What the operating system says when the program cannot be started.
#[cfg(unix)]
pub fn start_with(mut command: Command, prepare_last: impl FnOnce(&mut Command)) -> io::Result<Child> {
    // A group of its own: a Ctrl-C at the engine's terminal must not reach ffmpeg before the engine has committed.
    command.process_group(0).kill_on_drop(true);
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
