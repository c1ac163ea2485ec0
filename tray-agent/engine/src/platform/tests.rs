//! The engine is played by this very test program, started a second time.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    desk::Desk,
    ffmpeg::{Argv, Process, Run},
    sandbox::Limits,
    testing,
};

const ROLE: &str = "OFFPEAK_TEST_PLAYS_ENGINE";

/// As the engine: starts an ffmpeg that would run for ever, says its id, and waits for its death.
#[tokio::test]
async fn plays_engine() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    super::beside_a_person();
    let argv = Argv::new().arg("-nostdin").option("-loglevel", "error").arg("-re").option("-f", "lavfi").option("-i", "anullsrc");
    let (tools, argv) = (testing::tools(), argv.option("-f", "null").arg("-"));
    let (sandbox, program) = (&tools.sandbox, &tools.ffmpeg);
    let run = Run { sandbox, program, argv, limits: Limits::short(), loopback: None };
    let ffmpeg = Process::start(run, &Desk::default()).await.expect("it starts");
    println!("\nffmpeg={}", ffmpeg.id().expect("it runs"));
    std::future::pending::<()>().await;
}

/// Whether a process is there and not merely waiting to be buried.
fn lives(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = status.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
    state.is_some_and(|state| state != "Z" && state != "X")
}

#[test]
fn ffmpeg_dies_with_an_engine_that_is_killed() {
    let mut engine = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "platform::tests::plays_engine", "--nocapture", "--test-threads=1"])
        .env(ROLE, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(engine.stdout.take().expect("its output")).lines();
    let id = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("ffmpeg=").and_then(|id| id.parse().ok()));
    let id: u32 = id.expect("an id");
    assert!(lives(id));
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("its state");
    let nice = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(16)).expect("a priority");
    assert_eq!(nice, "19");
    // The 41st field: 5 is SCHED_IDLE.
    let policy = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(38)).expect("a scheduler");
    assert_eq!(policy, "5");
    // SIGKILL: the engine has no chance to do anything.
    engine.kill().expect("it is killed");
    engine.wait().expect("it is gone");
    let limit = Instant::now() + Duration::from_secs(5);
    while lives(id) {
        assert!(Instant::now() < limit, "ffmpeg {id} outlives the engine");
        std::thread::sleep(Duration::from_millis(10));
    }
}
