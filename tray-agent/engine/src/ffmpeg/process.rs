use std::{
    io,
    path::Path,
    process::ExitStatus,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{process::ChildStdout, task::JoinHandle};
use tokio_util::task::AbortOnDropHandle;

use super::{Argv, LogTail, explain::MEMORY_FAULTS};
use crate::{
    desk::{Allowed, Desk},
    loopback::Loopback,
    platform::{self, Group},
    sandbox::{self, Limits, Order, Sandbox, Started},
};

/// How often a running program is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A program that gets no more memory may end by itself meanwhile.
const STARVED_LOOKS: u32 = 10;

/// A program to be run, and all that it gets to see.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    pub sandbox: &'a Sandbox,
    pub program: &'a Path,
    pub argv: Argv,
    pub limits: Limits,
    /// What its arguments name addresses of.
    pub loopback: Option<&'a Loopback>,
}

/// A running ffmpeg or ffprobe. It stands still while the desk says so, and is killed when this is dropped, when the engine
/// dies, and when its processor time is used up.
#[derive(Debug)]
pub struct Process {
    child: platform::Child,
    stdout: Option<ChildStdout>,
    log: LogTail,
    log_reader: JoinHandle<()>,
    over_time: Arc<AtomicBool>,
    /// It did not stand still when it should have, and was killed for that.
    unruly: Arc<AtomicBool>,
    _follower: AbortOnDropHandle<()>,
    _clock: AbortOnDropHandle<()>,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Exit status 0.
    Well,
    /// Another exit status.
    Badly { code: i32 },
    /// By a signal: a crash, or too little memory.
    Killed,
    /// It used up the processor time that it may have.
    OverTime,
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        match status.code() {
            Some(0) => Self::Well,
            Some(code) => Self::Badly { code },
            None => Self::Killed,
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Well => f.write_str("ended well"),
            Self::Badly { code } => write!(f, "exited {code}"),
            Self::Killed => f.write_str("was killed by a signal"),
            Self::OverTime => f.write_str("used up its processor time"),
        }
    }
}

impl Process {
    /// Starts a program in the box, its log followed, its standard output to be taken with [`Self::take_stdout`].
    ///
    /// # Errors
    /// What the operating system says when the program cannot be started, or the box not be put up.
    pub async fn start(run: Run<'_>, desk: &Desk) -> io::Result<Self> {
        // Nothing is inherited: a proxy, a preloaded library or a report file named in the engine's environment is not
        // ffmpeg's business.
        let environment = vec![("AV_LOG_FORCE_NOCOLOR".into(), "1".into())];
        let order = Order { program: run.program.to_owned(), arguments: run.argv.into_vec(), environment };
        let port = run.loopback.and_then(Loopback::outer_port);
        let Started { mut child, listener } = run.sandbox.start(order, run.limits, port).await?;
        if let Some(loopback) = run.loopback {
            loopback.admit(child.id(), listener)?;
        }
        let stdout = child.take_stdout();
        let log = LogTail::default();
        let stderr = child.take_stderr().ok_or_else(|| io::Error::other("the program has no log"))?;
        let log_reader = tokio::spawn(log.clone().follow(stderr));
        let unruly = Arc::new(AtomicBool::new(false));
        let follower = AbortOnDropHandle::new(tokio::spawn(follow(desk.clone(), child.group(), unruly.clone())));
        let over_time = Arc::new(AtomicBool::new(false));
        let clock = watch(child.id(), run.limits.cpu, child.group(), log.clone(), over_time.clone());
        let clock = AbortOnDropHandle::new(tokio::spawn(clock));
        Ok(Self { child, stdout, log, log_reader, over_time, unruly, _follower: follower, _clock: clock })
    }

    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Its standard output; whoever starts a program that prints must take it, or the program waits for ever.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.stdout.take()
    }

    pub fn log(&self) -> &LogTail {
        &self.log
    }

    /// Waits for the program's end and for the last of its log. May be dropped and called again. Waits for ever when the program
    /// was killed because it did not stand still: that is no end to be judged, and the lease is on its way back.
    pub async fn wait(&mut self) -> io::Result<Ended> {
        let status = self.child.wait().await?;
        if self.unruly.load(Ordering::Acquire) {
            std::future::pending::<()>().await;
        }
        if !self.log_reader.is_finished() {
            let _ = (&mut self.log_reader).await;
        }
        // A program that ends well in the moment in which it is killed has ended well.
        Ok(match status.into() {
            Ended::Killed | Ended::Badly { .. } if self.over_time.load(Ordering::Acquire) => Ended::OverTime,
            ended => ended,
        })
    }

    /// Kills it and waits until it is gone.
    pub async fn kill(&mut self) {
        // It may have ended by itself: then there is nothing to kill and nothing wrong.
        let _ = self.child.start_kill();
        let _ = self.child.wait().await;
    }
}

/// What can be made to stand still.
trait Halt: Send + 'static {
    fn freeze(&self) -> io::Result<()>;
    fn thaw(&self) -> io::Result<()>;
    fn kill(&self) -> io::Result<()>;
}

impl Halt for Group {
    fn freeze(&self) -> io::Result<()> {
        Group::freeze(self)
    }

    fn thaw(&self) -> io::Result<()> {
        Group::thaw(self)
    }

    fn kill(&self) -> io::Result<()> {
        Group::kill(self)
    }
}

/// Freezes and thaws a program as the desk demands. One that cannot be frozen would go on beside whoever is there: it is killed,
/// and its lease handed back.
async fn follow(desk: Desk, group: impl Halt, unruly: Arc<AtomicBool>) {
    let mut allowed = Allowed::Work;
    loop {
        allowed = desk.changed(&allowed).await;
        match allowed {
            Allowed::Work => {
                if let Err(error) = group.thaw() {
                    tracing::warn!("cannot make a program go on: {error}");
                }
            }
            Allowed::Suspended { .. } | Allowed::Nothing { .. } => {
                let Err(error) = group.freeze() else { continue };
                tracing::warn!("cannot make a program stand still, so it is ended: {error}");
                unruly.store(true, Ordering::Release);
                desk.cannot_stand_still();
                if let Err(error) = group.kill() {
                    tracing::warn!("cannot end it either: {error}");
                }
                return;
            }
        }
    }
}

/// Kills a program that has used up its processor time, or does not end although it gets no more memory: ffmpeg was seen to
/// try again for ever.
async fn watch(process: Option<u32>, limit: Duration, group: Group, log: LogTail, over_time: Arc<AtomicBool>) {
    let Some(process) = process else { return };
    let mut starved = 0;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        starved = if log.mentions(&MEMORY_FAULTS) { starved + 1 } else { 0 };
        if starved > STARVED_LOOKS {
            let _ = group.kill();
            return;
        }
        match sandbox::cpu_time(process) {
            Some(used) if used < limit => {}
            Some(_) => {
                over_time.store(true, Ordering::Release);
                let _ = group.kill();
                return;
            }
            // It is gone, or this system keeps the limit by itself.
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use offpeak_api::lease::ReleaseReason;

    use super::*;
    use crate::testing;

    /// Does not stand still, and notes that it was killed.
    struct Wild(Arc<AtomicBool>);

    impl Halt for Wild {
        fn freeze(&self) -> io::Result<()> {
            Err(io::ErrorKind::PermissionDenied.into())
        }

        fn thaw(&self) -> io::Result<()> {
            Ok(())
        }

        fn kill(&self) -> io::Result<()> {
            self.0.store(true, Ordering::Release);
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_does_not_stand_still_is_ended_and_its_lease_handed_back() {
        let (desk, killed, unruly) = (Desk::default(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let follower = tokio::spawn(follow(desk.clone(), Wild(killed.clone()), unruly.clone()));
        let stands_still = Allowed::Suspended { reason: "somebody types".to_owned() };
        desk.set(stands_still.clone());
        follower.await.expect("it ends");
        assert!(killed.load(Ordering::Acquire) && unruly.load(Ordering::Acquire));
        let handed_back = Allowed::Nothing { why: ReleaseReason::UserReturned };
        assert_eq!(desk.allowed(), handed_back);
        // Whoever watches the desk knows nothing of it, and repeats what they want.
        desk.set(stands_still.clone());
        assert_eq!(desk.allowed(), handed_back);
        desk.set(Allowed::Work);
        desk.set(stands_still.clone());
        assert_eq!(desk.allowed(), stands_still, "it is tried anew the next time");
    }

    #[tokio::test]
    async fn the_end_of_such_a_program_is_not_judged() {
        let tools = testing::tools();
        let argv = Argv::new().arg("-nostdin").arg("-re").option("-f", "lavfi").option("-i", "anullsrc");
        let argv = argv.option("-f", "null").arg("-");
        let run = Run { sandbox: &tools.sandbox, program: &tools.ffmpeg, argv, limits: Limits::short(), loopback: None };
        let mut process = Process::start(run, &Desk::default()).await.expect("it starts");
        process.unruly.store(true, Ordering::Release);
        process.child.group().kill().expect("it is killed");
        process.child.wait().await.expect("it is gone");
        assert!(tokio::time::timeout(Duration::from_millis(300), process.wait()).await.is_err());
    }
}
