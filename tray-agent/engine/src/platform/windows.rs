use std::{
    io,
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    process::ExitStatus,
    sync::{Arc, Mutex, MutexGuard},
};

use process_wrap::tokio::{ChildWrapper, CommandWrap, CreationFlags, JobObject, KillOnDrop};
use tokio::process::{ChildStderr, ChildStdout, Command};
use windows::Win32::{
    Foundation::{FILETIME, HANDLE, NTSTATUS, STATUS_PROCESS_IS_TERMINATING},
    System::Threading::{
        CREATE_NO_WINDOW, CREATE_SUSPENDED, GetProcessTimes, IDLE_PRIORITY_CLASS, OpenProcess, PROCESS_ACCESS_RIGHTS,
        PROCESS_POWER_THROTTLING_CURRENT_VERSION, PROCESS_POWER_THROTTLING_EXECUTION_SPEED, PROCESS_POWER_THROTTLING_STATE,
        PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SET_INFORMATION, PROCESS_SUSPEND_RESUME, PROCESS_TERMINATE,
        ProcessPowerThrottling, SetProcessInformation, TerminateProcess,
    },
};

// What debuggers and the system's own monitor use; not in the published headers, unchanged since Windows XP.
#[link(name = "ntdll")]
#[expect(unsafe_code, reason = "no wrapper has these calls")]
unsafe extern "system" {
    fn NtSuspendProcess(process: HANDLE) -> NTSTATUS;
    fn NtResumeProcess(process: HANDLE) -> NTSTATUS;
}

/// What a program leaves behind that [`Group::kill`] ended.
const KILLED: u32 = 1;

/// A running program; dropping it kills it, with all that it started.
#[derive(Debug)]
pub struct Child {
    child: Box<dyn ChildWrapper>,
    group: Group,
    /// A job with limits, which ends the program when it is closed.
    _limits: Option<OwnedHandle>,
}

/// A program, and with it all that runs for it: its box lets it start no other. The handle keeps its number from being given to
/// somebody else.
#[derive(Debug, Clone)]
pub struct Group(Arc<Held>);

#[derive(Debug)]
struct Held {
    process: OwnedHandle,
    /// Threads count how often they were stopped: twice stopped and once let go, they would stand still for ever.
    frozen: Mutex<bool>,
}

impl Group {
    /// Of a program that was started and has not begun.
    fn not_begun(process: OwnedHandle) -> Self {
        Self(Arc::new(Held { process, frozen: Mutex::new(true) }))
    }

    /// Makes all its threads use no CPU until it is thawed.
    pub fn freeze(&self) -> io::Result<()> {
        self.turn(true)
    }

    pub fn thaw(&self) -> io::Result<()> {
        self.turn(false)
    }

    #[expect(unsafe_code, reason = "no wrapper ends a process by its handle")]
    pub fn kill(&self) -> io::Result<()> {
        // SAFETY: the handle is open and has the right to do this.
        match unsafe { TerminateProcess(self.handle(), KILLED) } {
            Err(_) if self.has_ended() => Ok(()),
            done => done.map_err(io::Error::from),
        }
    }

    #[expect(unsafe_code, reason = "no wrapper stops a process by its handle")]
    fn turn(&self, to_frozen: bool) -> io::Result<()> {
        let mut frozen = self.0.frozen.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if *frozen == to_frozen {
            return Ok(());
        }
        // SAFETY: the handle is open and has the right to do this.
        let status = unsafe { if to_frozen { NtSuspendProcess(self.handle()) } else { NtResumeProcess(self.handle()) } };
        if status.is_err() && status != STATUS_PROCESS_IS_TERMINATING && !self.has_ended() {
            return Err(windows::core::Error::from(status.to_hresult()).into());
        }
        *frozen = to_frozen;
        Ok(())
    }

    fn has_ended(&self) -> bool {
        used(&self.0.process).is_some_and(|(_, ended)| ended)
    }

    fn handle(&self) -> HANDLE {
        HANDLE(self.0.process.as_raw_handle())
    }
}

/// Puts the child into a job object that the system ends when its last handle, the engine's, is closed. `confine` is told its
/// number before it begins, and gives the job with its limits.
pub fn start_with(command: Command, confine: impl FnOnce(u32) -> io::Result<Option<OwnedHandle>>) -> io::Result<Child> {
    let gone = || io::Error::other("the program is gone");
    let mut wrap = CommandWrap::from(command);
    wrap.wrap(CreationFlags(IDLE_PRIORITY_CLASS | CREATE_NO_WINDOW | CREATE_SUSPENDED)).wrap(KillOnDrop).wrap(JobObject);
    // Dropped, and with it killed, when anything below fails: it has not done anything yet.
    let child = wrap.spawn()?;
    let id = child.id().ok_or_else(gone)?;
    let group = Group::not_begun(open(id, PROCESS_SUSPEND_RESUME | PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION)?);
    let limits = confine(id)?;
    started().running.extend(watched(id));
    group.thaw()?;
    Ok(Child { child, group, _limits: limits })
}

/// Programs that were started: their handles tell what they used, even after their end.
#[derive(Debug, Default)]
struct Programs {
    running: Vec<OwnedHandle>,
    ended_seconds: f64,
}

fn started() -> MutexGuard<'static, Programs> {
    static STARTED: Mutex<Programs> = Mutex::new(Programs { running: Vec::new(), ended_seconds: 0.0 });
    STARTED.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[expect(unsafe_code, reason = "processes of others have no safe wrapper")]
fn open(id: u32, rights: PROCESS_ACCESS_RIGHTS) -> io::Result<OwnedHandle> {
    // SAFETY: a call with plain numbers.
    let handle = unsafe { OpenProcess(rights, false, id) }?;
    // SAFETY: the handle was just opened, and is nobody else's.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle.0) })
}

/// A handle to look at a program with. On the way it is told to prefer saving power to being quick (EcoQoS).
#[expect(unsafe_code, reason = "processes of others have no safe wrapper")]
fn watched(id: u32) -> Option<OwnedHandle> {
    let owner = open(id, PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SET_INFORMATION).ok()?;
    let handle = HANDLE(owner.as_raw_handle());
    let eco = PROCESS_POWER_THROTTLING_STATE {
        Version: PROCESS_POWER_THROTTLING_CURRENT_VERSION,
        ControlMask: PROCESS_POWER_THROTTLING_EXECUTION_SPEED,
        StateMask: PROCESS_POWER_THROTTLING_EXECUTION_SPEED,
    };
    let size = size_of::<PROCESS_POWER_THROTTLING_STATE>() as u32;
    // SAFETY: the structure lives through the call and says its own size. Windows before 10 does not know it.
    let _best_effort = unsafe { SetProcessInformation(handle, ProcessPowerThrottling, (&raw const eco).cast(), size) };
    Some(owner)
}

/// Processor time of all programs that were started, in seconds.
pub fn jobs_cpu_seconds() -> f64 {
    let mut programs = started();
    let mut running_seconds = 0.0;
    let mut ended_seconds = 0.0;
    programs.running.retain(|program| match used(program) {
        Some((seconds, false)) => {
            running_seconds += seconds;
            true
        }
        Some((seconds, true)) => {
            ended_seconds += seconds;
            false
        }
        None => false,
    });
    programs.ended_seconds += ended_seconds;
    programs.ended_seconds + running_seconds
}

/// Processor time of a program that has not been forgotten yet, in seconds; nothing once it has ended.
pub fn cpu_seconds(id: u32) -> Option<f64> {
    let (seconds, ended) = used(&open(id, PROCESS_QUERY_LIMITED_INFORMATION).ok()?)?;
    (!ended).then_some(seconds)
}

/// Of those that have ended.
pub fn ended_cpu_seconds() -> f64 {
    jobs_cpu_seconds();
    started().ended_seconds
}

/// Seconds, and whether it has ended.
#[expect(unsafe_code, reason = "times of processes have no safe wrapper")]
fn used(program: &OwnedHandle) -> Option<(f64, bool)> {
    let mut times = [FILETIME::default(); 4];
    let [created, ended, kernel, user] = &mut times;
    // SAFETY: the handle is open, and the four places live through the call.
    unsafe { GetProcessTimes(HANDLE(program.as_raw_handle()), created, ended, kernel, user) }.ok()?;
    let ticks = |time: &FILETIME| (u64::from(time.dwHighDateTime) << 32) | u64::from(time.dwLowDateTime);
    // In units of 100 ns.
    Some(((ticks(kernel) + ticks(user)) as f64 / 1e7, ticks(ended) != 0))
}

impl Child {
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    pub fn group(&self) -> Group {
        self.group.clone()
    }

    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout().take()
    }

    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr().take()
    }

    /// Asks the system to kill it; [`Self::wait`] says when it is gone.
    pub fn start_kill(&mut self) -> io::Result<()> {
        self.child.start_kill()
    }

    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }
}
