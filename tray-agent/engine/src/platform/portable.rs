//! What must hold on every system, shown with this very test program, started once more: no ffmpeg is needed.

use std::{future::Future, io::Write, time::Duration};

use tokio::{io::AsyncReadExt, process::ChildStdout};

use crate::sandbox::{self, Limits, Order, Sandbox, Started, Walls};

const ROLE: &str = "OFFPEAK_TEST_ROLE";
const BURNS: &str = "burns";
#[cfg(windows)]
const IS_ENGINE: &str = "is engine";
/// A machine that is busy with other tests gives a program of lowest priority little.
const LONG: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_millis(20);

fn plays(role: &str) -> bool {
    std::env::var(ROLE).is_ok_and(|played| played == role)
}

/// As ffmpeg: uses all that it gets of one core, and says so again and again.
#[test]
fn burns() {
    while plays(BURNS) {
        for turn in 0..1_000_000_u64 {
            std::hint::black_box(turn);
        }
        // Not by a macro, whose words a test keeps to itself.
        let mut out = std::io::stdout();
        out.write_all(b".").and_then(|()| out.flush()).expect("somebody listens");
    }
}

/// As the engine: starts that, has it stand still, says its number, and waits for its death.
#[cfg(windows)]
#[tokio::test]
async fn is_engine() {
    if plays(IS_ENGINE) {
        let burning = burning().await;
        burning.child.group().freeze().expect("it stops");
        println!("\nburns={}", burning.child.id().expect("it runs"));
        std::future::pending::<()>().await;
    }
}

async fn burning() -> Started {
    let arguments = ["--exact", "platform::portable::burns", "--test-threads=1"].map(Into::into).to_vec();
    let program = std::env::current_exe().expect("this program");
    let order = Order { program, arguments, environment: vec![(ROLE.into(), BURNS.into())] };
    let walls = Walls { resources: true, ..Walls::default() };
    Sandbox::of(walls, 0, None).start(order, Limits::short(), None).await.expect("it starts")
}

async fn within<T>(limit: Duration, what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(limit, future).await.unwrap_or_else(|_| panic!("not within {limit:?}: {what}"))
}

/// Something new from the program, if it says anything in a while.
async fn hears(of: &mut ChildStdout) -> bool {
    let mut said = [0; 4096];
    matches!(tokio::time::timeout(SOON * 25, of.read(&mut said)).await, Ok(Ok(count)) if count > 0)
}

async fn speaks(of: &mut ChildStdout) {
    while !hears(of).await {}
}

async fn is_silent(of: &mut ChildStdout) {
    while hears(of).await {}
}

#[tokio::test]
async fn a_frozen_program_uses_nothing_and_goes_on_where_it_was() {
    let mut burning = burning().await;
    let (id, group) = (burning.child.id().expect("it runs"), burning.child.group());
    let mut says = burning.child.take_stdout().expect("its output");
    within(LONG, "it begins", speaks(&mut says)).await;

    for _return in 0..3 {
        // The desk may say it twice, and then let go once.
        group.freeze().expect("it stops");
        group.freeze().expect("it stands");
        // What it had said before is still to be read.
        within(LONG, "it stops", is_silent(&mut says)).await;
        let used = sandbox::cpu_time(id).expect("it is there");
        assert!(!hears(&mut says).await && !hears(&mut says).await, "it stands still");
        // Wine takes the time of whoever asks for that of everybody.
        assert!(cfg!(windows) || sandbox::cpu_time(id) == Some(used), "it stands still");

        group.thaw().expect("it goes on");
        within(LONG, "it goes on", speaks(&mut says)).await;
    }

    group.freeze().expect("it stops");
    burning.child.start_kill().expect("it is told");
    within(LONG, "it ends although it stands still", burning.child.wait()).await.expect("its end");
    // Whoever is late asks for nothing that can be done any more, and nothing bad.
    group.freeze().expect("nothing to stop");
    group.thaw().expect("nothing to let go");
    group.kill().expect("nothing to kill");
}

#[tokio::test]
async fn a_program_is_ended_as_a_group() {
    let mut burning = burning().await;
    burning.child.group().kill().expect("it is told");
    let ended = within(LONG, "it ends", burning.child.wait()).await.expect("its end");
    assert!(!ended.success());
}

#[cfg(windows)]
#[tokio::test]
async fn a_program_dies_with_its_engine_although_it_stands_still() {
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };
    let mut engine = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "platform::portable::is_engine", "--nocapture", "--test-threads=1"])
        .env(ROLE, IS_ENGINE)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(engine.stdout.take().expect("its output")).lines();
    let id = lines.map_while(Result::ok).find_map(|line| line.trim().strip_prefix("burns=").and_then(|id| id.parse().ok()));
    let id: u32 = id.expect("a number");
    assert!(sandbox::cpu_time(id).is_some(), "it is there");
    // The engine has no chance to do anything.
    engine.kill().expect("it is killed");
    engine.wait().expect("it is gone");
    let gone = async {
        while sandbox::cpu_time(id).is_some() {
            tokio::time::sleep(SOON).await;
        }
    };
    within(Duration::from_secs(5), "it is gone, too", gone).await;
}
