//! The walls, leant against from inside: with a shell, which can try what ffmpeg rarely does, and with ffmpeg itself.

mod media;
mod shared_network;
mod shell;

use std::{
    ffi::OsString,
    net::{TcpListener, UdpSocket},
    path::Path,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{Limits, Sandbox, Walls};
use crate::{
    desk::Desk,
    ffmpeg::{Argv, Captured, Ended, Run, capture},
    testing,
};

/// The shell of this system: small, and there on every machine.
const SHELL: &str = "/bin/sh";

/// A box with all walls, and this much memory.
fn sandbox(memory_bytes: u64) -> Sandbox {
    Sandbox::of_bytes(Walls::ALL, memory_bytes)
}

async fn boxed(sandbox: &Sandbox, program: &Path, arguments: &[&str], cpu: Duration) -> Captured {
    let argv = arguments.iter().fold(Argv::new(), |argv, argument| argv.arg(*argument));
    let run = Run { sandbox, program, argv, limits: Limits { cpu }, loopback: None };
    let (desk, stop) = (Desk::default(), CancellationToken::new());
    let captured = capture(run, 1 << 20, &desk, &stop);
    tokio::time::timeout(Duration::from_secs(120), captured).await.expect("it ends").expect("it starts")
}

/// Runs ffmpeg, whose arguments are separated by blanks, behind all walls.
async fn ffmpeg(arguments: &str) -> Captured {
    let words: Vec<&str> = "-nostdin -hide_banner -v error".split(' ').chain(arguments.split_whitespace()).collect();
    boxed(&sandbox(2 << 30), &testing::tools().ffmpeg, &words, Duration::from_secs(60)).await
}

/// What a program printed.
fn printed(run: &Captured) -> String {
    String::from_utf8_lossy(&run.stdout).into_owned()
}

/// Something that must not be reached: a listener, and a socket for packets, on this machine.
struct Outside {
    listener: TcpListener,
    packets: UdpSocket,
}

impl Outside {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let packets = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener");
        packets.set_nonblocking(true).expect("a socket");
        Self { listener, packets }
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().expect("an address").port()
    }

    fn packet_port(&self) -> u16 {
        self.packets.local_addr().expect("an address").port()
    }

    /// Fails if anything came.
    #[track_caller]
    fn saw_nothing(&self) {
        assert!(self.listener.accept().is_err(), "somebody connected");
        assert!(self.packets.recv(&mut [0; 16]).is_err(), "a packet came");
    }
}

/// A running program's `/proc/PID/status` line.
fn status(process: u32, name: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    line.trim_start_matches(':').trim().to_owned()
}

#[tokio::test]
async fn a_program_inside_is_nobody_with_nothing() {
    let tools = testing::tools();
    let words = ["-nostdin", "-v", "error", "-re", "-f", "lavfi", "-i", "anullsrc", "-f", "null", "-"];
    let arguments: Vec<OsString> = words.iter().map(Into::into).collect();
    let order = super::Order { program: tools.ffmpeg.clone(), arguments, environment: vec![] };
    let started = sandbox(2 << 30).start(order, Limits::short(), None).await.expect("it starts");
    let process = started.child.id().expect("it runs");
    assert!(started.listener.is_some());
    assert_eq!(status(process, "Seccomp"), "2");
    assert_eq!(status(process, "NoNewPrivs"), "1");
    for capabilities in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(status(process, capabilities), "0000000000000000", "{capabilities}");
    }
    for namespace in ["net", "user", "ipc", "uts"] {
        let of = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/{namespace}")).expect("a namespace");
        assert_ne!(of("self"), of(&process.to_string()), "{namespace}");
    }
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).expect("limits");
    for (name, limit) in
        [("Max core file size", "0"), ("Max file size", "0"), ("Max open files", "128"), ("Max data size", "2147483648")]
    {
        let line = limits.lines().find(|line| line.starts_with(name)).expect(name);
        assert_eq!(line[name.len()..].split_whitespace().take(2).collect::<Vec<_>>(), [limit; 2], "{name}");
    }
    let environment = std::fs::read(format!("/proc/{process}/environ")).expect("an environment");
    assert_eq!(String::from_utf8_lossy(&environment), "");
}

#[tokio::test]
async fn this_machine_can_wall_ffmpeg_off() {
    let report = Sandbox::raise(&testing::tools().ffmpeg, 0).await.report();
    assert_eq!((report.missing, report.reason), (vec![], None));
}

#[tokio::test]
async fn what_is_no_program_is_not_started() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let order = super::Order { program: file.path().to_owned(), arguments: vec![], environment: vec![] };
    sandbox(2 << 30).start(order, Limits::short(), None).await.expect_err("it is empty");
    let raised = Sandbox::raise(file.path(), 0).await;
    assert_eq!(raised.walls(), Walls::default());
}
