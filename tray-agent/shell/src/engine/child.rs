//! A child that dies with the shell, however the shell dies.
//!
//! The engine stops by itself when its input ends. For one that cannot any more, the system sees to it: the death signal on
//! Linux, a job object on Windows. On macOS the end of the input has to do.

use std::{io, process::Stdio};

use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};

use super::Program;

fn command(program: &Program) -> Command {
    let mut command = Command::new(&program.path);
    command.args(&program.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

#[derive(Debug)]
pub struct Pipes {
    pub stdin: ChildStdin,
    pub stdout: ChildStdout,
    pub stderr: ChildStderr,
}

fn all_three(pipes: (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>)) -> io::Result<Pipes> {
    match pipes {
        (Some(stdin), Some(stdout), Some(stderr)) => Ok(Pipes { stdin, stdout, stderr }),
        _ => Err(io::Error::other("it has no pipes")),
    }
}

#[cfg(unix)]
pub type Child = tokio::process::Child;

#[cfg(unix)]
pub fn start(program: &Program) -> io::Result<(Child, Pipes)> {
    let mut command = command(program);
    // A group of its own: Ctrl-C at the shell's terminal ends the shell, which then ends the engine in order.
    command.process_group(0);
    #[cfg(target_os = "linux")]
    tie_to_this_thread(&mut command);
    let mut child = command.spawn()?;
    let pipes = all_three((child.stdin.take(), child.stdout.take(), child.stderr.take()))?;
    Ok((child, pipes))
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the death signal can only be set between fork and exec")]
fn tie_to_this_thread(command: &mut Command) {
    use nix::{
        sys::{prctl, signal::Signal},
        unistd::{getpid, getppid},
    };
    let shell = getpid();
    let between_fork_and_exec = move || -> io::Result<()> {
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        // The shell may have died before the line above: then no signal will come.
        if getppid() == shell { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    };
    // SAFETY: the closure makes async-signal-safe system calls only, and allocates nothing.
    unsafe { command.pre_exec(between_fork_and_exec) };
}

#[cfg(windows)]
pub type Child = Box<dyn process_wrap::tokio::ChildWrapper>;

#[cfg(windows)]
pub fn start(program: &Program) -> io::Result<(Child, Pipes)> {
    use process_wrap::tokio::{CommandWrap, CreationFlags, JobObject, KillOnDrop};
    use windows::Win32::System::Threading::CREATE_NO_WINDOW;

    let mut wrap = CommandWrap::from(command(program));
    wrap.wrap(CreationFlags(CREATE_NO_WINDOW)).wrap(KillOnDrop).wrap(JobObject);
    let mut child = wrap.spawn()?;
    let pipes = all_three((child.stdin().take(), child.stdout().take(), child.stderr().take()))?;
    Ok((child, pipes))
}
