//! For systems without a death signal: a process that waits for the engine's end, and then kills what the engine has started.
//!
//! In: a line for each group of processes, `+4711` when it is started and `-4711` when it is gone, over a pipe that only the
//! engine writes to. Out: SIGKILL to all that are left once the pipe ends, however the engine ended. What must hold: no program
//! starts without somebody who would end it.

use std::{
    collections::BTreeSet,
    io::{self, BufRead, Write},
    os::unix::process::CommandExt,
    process::{ChildStdin, Command, Stdio},
    sync::{Mutex, MutexGuard},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

/// The engine's end of it. Should the process itself be ended by somebody, the next program gets another one.
#[derive(Debug, Default)]
pub struct Undertaker(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    pipe: Option<ChildStdin>,
    groups: BTreeSet<i32>,
}

impl Undertaker {
    pub const fn new() -> Self {
        Self(Mutex::new(Books { pipe: None, groups: BTreeSet::new() }))
    }

    /// From now on, the group ends with this process.
    ///
    /// # Errors
    /// When nobody can be told: then the group must not run.
    pub fn add(&self, group: Pid, undertaker: impl FnOnce() -> io::Result<Command>) -> io::Result<()> {
        let mut books = self.books();
        books.groups.insert(group.as_raw());
        if books.tell('+', group).is_ok() {
            return Ok(());
        }
        let told = start(undertaker).and_then(|pipe| {
            books.pipe = Some(pipe);
            let groups: Vec<i32> = books.groups.iter().copied().collect();
            groups.into_iter().try_for_each(|group| books.tell('+', Pid::from_raw(group)))
        });
        if told.is_err() {
            books.groups.remove(&group.as_raw());
        }
        told
    }

    /// The group is gone: its number may soon be somebody else's.
    pub fn remove(&self, group: Pid) {
        let mut books = self.books();
        if books.groups.remove(&group.as_raw()) && books.tell('-', group).is_err() {
            // It is gone; the next program starts another one, which will not be told of this group.
            books.pipe = None;
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Books {
    fn tell(&mut self, sign: char, group: Pid) -> io::Result<()> {
        match &mut self.pipe {
            Some(pipe) => writeln!(pipe, "{sign}{group}"),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

fn start(undertaker: impl FnOnce() -> io::Result<Command>) -> io::Result<ChildStdin> {
    let mut command = undertaker()?;
    // In a group of its own: a Ctrl-C at the engine's terminal is not meant for it.
    command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let pipe = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    // Buried by this thread, should it end before the engine does.
    std::thread::Builder::new().name("undertaker".to_owned()).spawn(move || child.wait())?;
    Ok(pipe)
}

/// What the process does: returns when the engine is gone, and with it all that it had started.
///
/// # Errors
/// When the pipe cannot be read; even then the groups are killed.
pub fn serve(orders: impl BufRead) -> io::Result<()> {
    let mut groups = BTreeSet::new();
    let read = orders.lines().try_for_each(|line| {
        let line = line?;
        let number = line.get(1..).and_then(|number| number.parse::<i32>().ok()).filter(|number| *number > 1);
        match (line.get(..1), number) {
            (Some("+"), Some(number)) => groups.insert(number),
            (Some("-"), Some(number)) => groups.remove(&number),
            _ => false,
        };
        Ok(())
    });
    for group in groups {
        // It may have ended in this moment.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    read
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::ExitStatusExt, process::Child, time::Duration};

    use super::*;

    const ROLE: &str = "OFFPEAK_TEST_IS_UNDERTAKER";

    #[test]
    fn is_undertaker() {
        if std::env::var_os(ROLE).is_some() {
            serve(io::stdin().lock()).expect("orders");
        }
    }

    fn undertaker() -> io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--exact", "platform::undertaker::tests::is_undertaker", "--test-threads=1"]).env(ROLE, "1");
        Ok(command)
    }

    fn sleeper() -> (Child, Pid) {
        let child = Command::new("sleep").arg("600").process_group(0).spawn().expect("it starts");
        let group = Pid::from_raw(child.id().cast_signed());
        (child, group)
    }

    #[test]
    fn what_was_started_ends_with_the_engine_even_if_it_stands_still() {
        let books = Undertaker::new();
        let (mut running, first) = sleeper();
        let (mut frozen, second) = sleeper();
        let (mut forgotten, third) = sleeper();
        for group in [first, second, third] {
            books.add(group, undertaker).expect("somebody is told");
        }
        killpg(second, Signal::SIGSTOP).expect("it stops");
        books.remove(third);
        // As when the engine is gone: nobody holds the pipe any more.
        drop(books);
        for child in [&mut running, &mut frozen] {
            assert_eq!(child.wait().expect("its end").signal(), Some(Signal::SIGKILL as i32));
        }
        assert!(forgotten.try_wait().expect("its state").is_none(), "a number that is somebody else's by now is left alone");
        killpg(third, Signal::SIGKILL).expect("it ends");
        forgotten.wait().expect("its end");
    }

    #[test]
    fn one_that_was_ended_is_replaced() {
        let books = Undertaker::new();
        let (mut first, group) = sleeper();
        let (mut second, other) = sleeper();
        // Where it is gone before it is told, the first program has no end to fear from it, and does not start.
        while books.add(group, || Ok(Command::new("true"))).is_err() {}
        let mut was_replaced = false;
        while !was_replaced {
            // Its end of the pipe closes with it, some time.
            std::thread::sleep(Duration::from_millis(20));
            let another = || {
                was_replaced = true;
                undertaker()
            };
            books.add(other, another).expect("somebody is told");
        }
        drop(books);
        for child in [&mut first, &mut second] {
            assert_eq!(child.wait().expect("its end").signal(), Some(Signal::SIGKILL as i32));
        }
    }

    #[test]
    fn a_group_that_nobody_would_end_must_not_run() {
        let nobody = || Err(io::Error::other("no program"));
        let books = Undertaker::new();
        assert!(books.add(Pid::from_raw(1 << 22), nobody).is_err());
        assert!(books.books().groups.is_empty());
    }

    #[test]
    fn odd_orders_kill_nobody() {
        serve("+0\n+1\n+-1\nx\n\n+\n-\n+99999999999\nü\n".as_bytes()).expect("they are read");
    }
}
