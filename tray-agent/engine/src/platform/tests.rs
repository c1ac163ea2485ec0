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
    super::keep_to_cores(Some(1));
    let argv = Argv::new().arg("-nostdin").option("-loglevel", "error").arg("-re").option("-f", "lavfi").option("-i", "anullsrc");
    let (tools, argv) = (testing::tools(), argv.option("-f", "null").arg("-"));
    let (sandbox, program) = (&tools.sandbox, &tools.ffmpeg);
    let run = Run { sandbox, program, argv, limits: Limits::short(), loopback: None };
    let ffmpeg = Process::start(run, &Desk::default()).await.expect("it starts");
    println!("\nffmpeg={}", ffmpeg.id().expect("it runs"));
    std::future::pending::<()>().await;
}

/// What `proc(5)` says of a process, from its state (field 3) on.
fn stat(id: u32) -> Vec<String> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(')').next().unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// What a line of its status says.
fn status(id: u32, name: &str) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
}

/// Whether a process is there and not merely waiting to be buried. What has been sent SIGKILL may have a long way to its end
/// where others keep the processor busy, but runs nothing of its own program any more.
fn lives(id: u32) -> bool {
    /// SIGKILL, in a mask of signals.
    const KILL: u64 = 1 << 8;
    /// `PF_EXITING` of the kernel's sched.h, in the 9th field of proc(5)'s stat: by then the signal is not pending any more.
    const EXITING: u64 = 4;
    let stat = stat(id);
    let Some(state) = stat.first() else { return false };
    let is_pending =
        |name: &str| status(id, name).and_then(|mask| u64::from_str_radix(&mask, 16).ok()).is_some_and(|m| m & KILL != 0);
    let is_exiting = stat.get(6).and_then(|flags| flags.parse::<u64>().ok()).is_some_and(|flags| flags & EXITING != 0);
    state != "Z" && state != "X" && !is_exiting && !is_pending("SigPnd:") && !is_pending("ShdPnd:")
}

/// The last of the processors in a list such as `0-3,6`.
fn last_of(list: &str) -> &str {
    list.rsplit([',', '-']).next().unwrap_or(list)
}

#[test]
fn ffmpeg_keeps_to_its_place_and_dies_with_an_engine_that_is_killed() {
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

    // Fields 5 and 6, group and session: its own. The 19th is the niceness, the 41st the scheduler: SCHED_IDLE, which is 5, unless
    // the session stands back already.
    let field = |number: usize| stat(id).get(number - 3).cloned().expect("a field");
    assert_eq!([field(5), field(6)], [id.to_string(), id.to_string()]);
    let scheduler = if super::linux::autogroup::sessions_compete() { 0 } else { 5 };
    assert_eq!([field(19), field(41)].map(|text| text.parse::<i32>().expect("a number")), [19, scheduler]);
    // Where sessions are weighed against each other, this one weighs least.
    if let Ok(weighed) = std::fs::read_to_string(format!("/proc/{id}/autogroup")) {
        assert!(weighed.trim_end().ends_with(" nice 19"), "{weighed}");
    }
    // One core, and of those that the engine may use the last one, for all of its threads.
    let all = status(engine.id(), "Cpus_allowed_list:").expect("the engine's cores");
    let threads = std::fs::read_dir(format!("/proc/{id}/task")).expect("threads").flatten();
    let cores: Vec<String> = threads
        .filter_map(|thread| thread.file_name().to_str()?.parse().ok())
        .filter_map(|thread| status(thread, "Cpus_allowed_list:"))
        .collect();
    assert!(!cores.is_empty() && cores.iter().all(|core| core == last_of(&all)), "{cores:?} of {all}");

    // SIGKILL: the engine has no chance to do anything.
    engine.kill().expect("it is killed");
    engine.wait().expect("it is gone");
    let limit = Instant::now() + Duration::from_secs(1);
    while lives(id) {
        assert!(Instant::now() < limit, "ffmpeg {id} outlives the engine");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn without_a_cap_a_program_may_use_every_core() {
    let tools = testing::tools();
    let argv =
        Argv::new().arg("-nostdin").arg("-re").option("-f", "lavfi").option("-i", "anullsrc").option("-f", "null").arg("-");
    let (sandbox, program) = (&tools.sandbox, &tools.ffmpeg);
    let run = Run { sandbox, program, argv, limits: Limits::short(), loopback: None };
    let ffmpeg = Process::start(run, &Desk::default()).await.expect("it starts");
    let id = ffmpeg.id().expect("it runs");
    assert_eq!(status(id, "Cpus_allowed_list:"), status(std::process::id(), "Cpus_allowed_list:"));
    assert_eq!(stat(id).get(2).cloned(), Some(id.to_string()), "its group is its own, whoever is there");
}
