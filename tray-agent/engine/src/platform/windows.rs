use std::{
    io,
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    process::ExitStatus,
    sync::{Mutex, MutexGuard},
};

use process_wrap::tokio::{ChildWrapper, CommandWrap, CreationFlags, JobObject, KillOnDrop};
use tokio::process::{ChildStderr, ChildStdout, Command};
use windows::Win32::{
    Foundation::{FILETIME, HANDLE},
    System::Threading::{
        CREATE_NO_WINDOW, GetProcessTimes, IDLE_PRIORITY_CLASS, OpenProcess, PROCESS_POWER_THROTTLING_CURRENT_VERSION,
        PROCESS_POWER_THROTTLING_EXECUTION_SPEED, PROCESS_POWER_THROTTLING_STATE, PROCESS_QUERY_LIMITED_INFORMATION,
        PROCESS_SET_INFORMATION, ProcessPowerThrottling, SetProcessInformation,
    },
};

/// A running program; dropping it kills it, with all that it started.
#[derive(Debug)]
pub struct Child {
    child: Box<dyn ChildWrapper>,
    /// A job with limits, which ends the program when it is closed.
    _job: Option<OwnedHandle>,
}

/// The job object of a program and of all that it started.
#[derive(Debug, Clone)]
pub struct Group;

impl Group {
    /// Windows has no call that stops a job; leases are handed back instead of suspended ([`super::CAN_FREEZE`]).
    pub fn freeze(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn thaw(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The job itself ends a program that is over its time.
    pub fn kill(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Puts the child into a job object that the system ends when its last handle, the engine's, is closed.
pub fn start_with(mut command: Command, prepare_last: impl FnOnce(&mut Command)) -> io::Result<Child> {
    prepare_last(&mut command);
    let mut wrap = CommandWrap::from(command);
    wrap.wrap(CreationFlags(IDLE_PRIORITY_CLASS | CREATE_NO_WINDOW)).wrap(KillOnDrop).wrap(JobObject);
    let child = wrap.spawn()?;
    if let Some(id) = child.id() {
        started().running.extend(watched(id));
    }
    Ok(Child { child, _job: None })
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

/// A handle to look at a program with. On the way it is told to prefer saving power to being quick (EcoQoS).
#[expect(unsafe_code, reason = "processes of others have no safe wrapper")]
fn watched(id: u32) -> Option<OwnedHandle> {
    let rights = PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SET_INFORMATION;
    // SAFETY: a call with plain numbers; the handle gets its owner at once.
    let handle = unsafe { OpenProcess(rights, false, id) }.ok()?;
    // SAFETY: the handle was just opened, and is nobody else's.
    let owner = unsafe { OwnedHandle::from_raw_handle(handle.0) };
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
    /// Keeps a job open for as long as the program is wanted.
    pub fn keep(&mut self, job: OwnedHandle) {
        self._job = Some(job);
    }

    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    pub fn group(&self) -> Group {
        Group
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
