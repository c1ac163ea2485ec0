//! The engine below its tray app: it does what the person orders, says what is true in one state and one sentence whatever goes
//! wrong, and is gone, with its ffmpeg, when its shell is.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use offpeak_api::{agent::AgentState, policy::Policy};
use offpeak_link::{Answer, Limits, Order};
use offpeak_tests::{
    client::send, history::History, linked::Linked, process::wait_until_gone, programs, sources, system::System, tree,
};
use reqwest::Method;

/// It ends within seconds; machines that test other things besides take their time.
const END_LIMIT: Duration = Duration::from_secs(30);

fn code_of(answer: Answer) -> String {
    match answer {
        Answer::Refused { code, message } => {
            assert!(!message.is_empty());
            code
        }
        other => panic!("{other:?} is no refusal"),
    }
}

fn join(system: &System, engine: &mut Linked) {
    engine.join(system, system.client.server(), Some("tray"));
    engine.until("the farm", |now| now.farm.as_ref().is_some_and(|farm| farm.agent_name == "tray"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_joins_snoozes_pauses_and_leaves() {
    let system = System::start(0).await;
    let mut engine = system.linked_engine("tray", |_| {});
    let now = engine.until("that it has no farm", |now| now.reason == "this computer has not joined a farm yet");
    assert!(now.farm.is_none());
    assert_eq!(now.state, AgentState::Waiting);
    assert!(now.machine_cores > 0 && now.machine_memory_mib > 0);

    let joins = |code: &str, server| Order::Join { link_or_code: code.to_owned(), server, name: None };
    assert_eq!(code_of(engine.order(joins("ofe_nonsense", None))), "no_server");
    assert_eq!(code_of(engine.order(joins("ofe_nonsense", Some(system.client.server().clone())))), "code_refused");
    assert_eq!(code_of(engine.order(joins("offpeak://nonsense", None))), "bad_link");
    let nobody = "http://127.0.0.1:9/".parse().expect("an address");
    assert_eq!(code_of(engine.order(joins("ofe_nonsense", Some(nobody)))), "no_answer");
    join(&system, &mut engine);
    engine.until("work is asked for", |now| now.state == AgentState::Waiting && now.reason == "there is nothing to do");

    assert_eq!(engine.order(Order::Snooze { seconds: 3600 }), Answer::Done);
    let snoozed = engine.until("the snooze", |now| now.state == AgentState::Snoozed);
    let left = (snoozed.until.expect("its end") - chrono::Utc::now()).num_seconds();
    assert!((3500..=3601).contains(&left), "{left}");
    assert_eq!(engine.order(Order::Snooze { seconds: 0 }), Answer::Done);
    engine.until("its end", |now| now.state == AgentState::Waiting);
    assert_eq!(code_of(engine.order(Order::Snooze { seconds: 100 * 86_400 })), "snooze_too_long");

    let limits = Limits { max_cores: Some(1), start_after_idle_seconds: Some(900), ..Limits::default() };
    assert_eq!(engine.order(Order::SetLimits { limits: limits.clone() }), Answer::Done);
    engine.until("the limits", |now| now.limits == limits);
    let absurd = Limits { max_cores: Some(0), ..Limits::default() };
    assert_eq!(code_of(engine.order(Order::SetLimits { limits: absurd })), "bad_limits");

    // The office's policy arrives, and is shown.
    let policy = Policy { start_after_idle_seconds: 77, ..Policy::default() };
    system.client.obey(&policy).await;
    assert_eq!(engine.order(Order::Pause), Answer::Done);
    engine.until("the pause", |now| now.state == AgentState::Paused);
    engine.until("the policy", |now| now.policy == policy);
    assert_eq!(engine.order(Order::Quit), Answer::Done);
    assert_eq!(engine.ends_within(END_LIMIT), Some(0));

    // All of it outlives the engine.
    let mut engine = system.linked_engine("tray", |_| {});
    let first = engine.until("anything", |_| true);
    assert_eq!(first.farm.map(|farm| farm.agent_name).as_deref(), Some("tray"), "it never says that there is no farm");
    let now = engine.until("the pause, again", |now| now.state == AgentState::Paused && now.farm.is_some());
    assert_eq!((now.limits, now.policy), (limits, policy));
    match engine.order(Order::Why) {
        Answer::Why(why) => assert_eq!(why.state, AgentState::Paused),
        other => panic!("{other:?}"),
    }
    assert_eq!(engine.order(Order::Resume), Answer::Done);
    engine.until("work again", |now| now.state == AgentState::Waiting);
    assert_eq!(engine.order(Order::Leave), Answer::Done);
    engine.until("no farm", |now| now.farm.is_none() && now.state == AgentState::Waiting);
    assert_eq!(engine.order(Order::PrepareUpdate), Answer::Done);
    engine.until("the update", |now| now.state == AgentState::Updating);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_that_is_gone_takes_everything_with_it() {
    let system = System::start(0).await;
    let mut engine = system.linked_engine("tray", |_| {});
    join(&system, &mut engine);
    let profile = sources::slow_lossless_profile();
    system.client.put_profile(&profile).await;
    let source = sources::slow_film().make(&system.scratch()).await;
    system.client.submit(&source, &profile.name).await;
    let now = engine.until("work", |now| now.state == AgentState::Encoding && now.work.iter().any(|work| work.kind == "encode"));
    assert!(now.work.iter().any(|work| work.rows > 0), "{:?}", now.work);
    let ffmpegs = loop {
        let ffmpegs = tree::below(engine.pid());
        if tree::ticks(&ffmpegs) > 20 {
            break ffmpegs;
        }
        engine.listen(Duration::from_millis(50));
    };
    engine.hang_up();
    tree::wait_until_doomed(&ffmpegs, END_LIMIT).await;
    wait_until_gone(&ffmpegs, END_LIMIT).await;
    assert_eq!(engine.ends_within(END_LIMIT), Some(0));
    assert!(engine.contribution.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_takes_the_work_back_and_one_that_came_to_nothing_gives_it_again() {
    let system = System::start(0).await;
    let mut engine = system.linked_engine("tray", |_| {});
    join(&system, &mut engine);
    let profile = sources::slow_lossless_profile();
    system.client.put_profile(&profile).await;
    let source = sources::slow_film().make(&system.scratch()).await;
    let job = system.client.submit(&source, &profile.name).await;
    let encodes = |engine: &mut Linked| {
        engine.until("work", |now| now.state == AgentState::Encoding && now.work.iter().any(|work| work.kind == "encode"));
    };
    encodes(&mut engine);
    assert_eq!(engine.order(Order::PrepareUpdate), Answer::Done);
    let updating = engine.until("the update", |now| now.state == AgentState::Updating && now.work.is_empty());
    assert_eq!(updating.reason, "an update is being installed");
    assert!(tree::below(engine.pid()).is_empty(), "nothing of the programs that are replaced runs");
    system.client.until_agent_is(AgentState::Updating, None).await;
    assert_eq!(engine.order(Order::Resume), Answer::Done);
    encodes(&mut engine);
    History::until_released(&system.client, &job.id, 1, END_LIMIT).await;
}

/// With a code for many machines in the environment, as of a roll-out.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_it_was_set_up_with_does_not_undo_what_its_person_decided() {
    let system = System::start(0).await;
    let many = system.server_says(&["token", "enrol", "--uses", "5"]);
    let mut engine = system.linked_engine("tray", |command| {
        command.env("OFFPEAK_URL", system.client.server().as_str()).env("OFFPEAK_ENROL_CODE", &many);
    });
    engine.until("the farm", |now| now.farm.is_some());
    assert_eq!(engine.order(Order::Leave), Answer::Done);
    engine.until("that it stays out", |now| now.farm.is_none() && now.reason == "this computer has not joined a farm yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_what_the_farm_decided() {
    let system = System::start(0).await;
    let many = system.server_says(&["token", "enrol", "--uses", "5"]);
    let start = || {
        system.linked_engine("tray", |command| {
            command.env("OFFPEAK_URL", system.client.server().as_str()).env("OFFPEAK_ENROL_CODE", &many);
        })
    };
    let mut engine = start();
    let farm = engine.until("the farm", |now| now.farm.is_some()).farm.expect("a farm");
    assert_eq!(engine.order(Order::Quit), Answer::Done);
    assert_eq!(engine.ends_within(END_LIMIT), Some(0));
    let revoked = send(system.client.request(Method::DELETE, &format!("/v1/agents/{}", farm.agent_id))).await;
    assert!(revoked.status().is_success(), "{revoked:?}");
    // It begins with a code that would let it in again.
    let mut engine = start();
    engine.until("that it was revoked", |now| now.state == AgentState::Revoked && now.farm.is_none());
    join(&system, &mut engine);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_refused_is_a_state_and_another_one_helps() {
    let system = System::start(0).await;
    let mut engine = system.linked_engine("tray", |command| {
        command.env("OFFPEAK_URL", system.client.server().as_str()).env("OFFPEAK_ENROL_CODE", "ofe_used_up");
    });
    let refused = engine.until("that it is refused", |now| now.state == AgentState::Broken);
    assert_eq!((refused.farm, refused.code.as_deref()), (None, Some("code_refused")));
    assert!(refused.reason.ends_with("Ask whoever runs the farm for a new code."), "{}", refused.reason);
    join(&system, &mut engine);
    engine.until("nothing to do", |now| now.reason == "there is nothing to do");

    // What happened is on the disk as well.
    let folder = system.scratch().with_file_name("tray").join("log");
    let files: Vec<_> = std::fs::read_dir(&folder).expect("a folder for the log").flatten().collect();
    let text = files.iter().map(|file| std::fs::read_to_string(file.path()).expect("a log")).collect::<String>();
    assert!(text.contains("asking for work"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_a_state() {
    let mut system = System::start(0).await;
    let mut engine = system.linked_engine("tray", |_| {});
    join(&system, &mut engine);
    engine.until("nothing to do", |now| now.reason == "there is nothing to do");
    system.kill_server();
    let away = engine.until("that it is away", |now| now.state == AgentState::NoServer);
    assert!(away.reason.contains("does not answer"), "{}", away.reason);
    // Whoever has no network can still pause.
    assert_eq!(engine.order(Order::Pause), Answer::Done);
    engine.until("the pause", |now| now.state == AgentState::Paused);
    assert_eq!(engine.order(Order::Resume), Answer::Done);
    system.restart_server().await;
    engine.until("that it is back", |now| now.state == AgentState::Waiting);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_are_missing_or_altered_are_told_and_not_run() {
    let system = System::start(0).await;
    let bin = system.scratch().join("bin");
    std::fs::create_dir_all(&bin).expect("a folder");
    let (ffmpeg, ffprobe) =
        (copy(&programs::ffmpeg(), &bin, "offpeak-ffmpeg"), copy(&programs::ffprobe(), &bin, "offpeak-ffprobe"));
    let mut engine = system.linked_engine("tray", |command| {
        command.env("OFFPEAK_FFMPEG", &ffmpeg).env("OFFPEAK_FFPROBE", &ffprobe);
    });
    join(&system, &mut engine);
    engine.until("nothing to do", |now| now.reason == "there is nothing to do");

    let whole = std::fs::read(&ffmpeg).expect("the program");
    // A script in its place says so if it is ever run.
    let ran = system.scratch().join("it-was-run");
    replace(&ffmpeg, format!("#!/bin/sh\ntouch '{}'\n", ran.display()).as_bytes());
    let broken = engine.until("that it was altered", |now| now.state == AgentState::Broken);
    assert_eq!(broken.code.as_deref(), Some("ffmpeg_altered"));
    assert!(broken.reason.contains("SHA-256") && broken.reason.contains("install"), "{}", broken.reason);
    system.client.until_agent_is(AgentState::Broken, Some("ffmpeg_altered")).await;

    std::fs::remove_file(&ffmpeg).expect("it can be removed");
    let broken = engine.until("that it is missing", |now| now.code.as_deref() == Some("ffmpeg_missing"));
    assert_eq!(broken.state, AgentState::Broken);

    replace(&ffmpeg, &whole);
    engine.until("that it is whole again", |now| now.state == AgentState::Waiting);
    assert!(!ran.exists(), "an altered program was run");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told() {
    let system = System::start(0).await;
    // A disk of one MiB of the engine's own, in a space of its own.
    let state = system.scratch().join("small-disk");
    std::fs::create_dir_all(&state).expect("a folder");
    let agent = programs::built().agent.clone();
    let script = format!(
        "mount -t tmpfs -o size=1m,mode=700 tmpfs '{state}' && head -c 900000 /dev/zero > '{state}/filling' && \
         exec '{agent}' run --link --presence none --state-dir '{state}'",
        state = state.display(),
        agent = agent.display(),
    );
    let mut command = std::process::Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "--", "sh", "-c", &script]);
    command.env("OFFPEAK_FFMPEG", programs::ffmpeg()).env("OFFPEAK_FFPROBE", programs::ffprobe());
    let mut engine = Linked::start(command, &system.scratch().join("small-disk.log"));
    join(&system, &mut engine);
    let broken = engine.until("that the disk is full", |now| now.state == AgentState::Broken);
    assert_eq!(broken.code.as_deref(), Some("disk_full"));
    assert!(broken.reason.contains("make room"), "{}", broken.reason);
    // It is looked at again, and that costs nothing: neither are the programs read nor is anything encoded.
    let before = tree::ticks(&[engine.pid()]);
    tokio::time::sleep(Duration::from_secs(20)).await;
    let ticks = tree::ticks(&[engine.pid()]) - before;
    assert!(ticks < 20, "{ticks} ticks of processor time while nothing can be done");
    // Inside its own space, through the process that lives there.
    std::fs::remove_file(format!("/proc/{}/root{}/filling", engine.pid(), state.display())).expect("room is made");
    engine.until("that there is room", |now| now.state == AgentState::Waiting);
}

#[tokio::test(flavor = "multi_thread")]
async fn why_asks_the_engine_that_runs() {
    let system = System::start(0).await;
    let mut engine = system.linked_engine("tray", |command| {
        command.env("OFFPEAK_PRESENCE", "auto").env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    });
    assert_eq!(engine.order(Order::Snooze { seconds: 3600 }), Answer::Done);
    let mut why = std::process::Command::new(&programs::built().agent);
    why.arg("why").arg("--state-dir").arg(system.state_of("tray")).env("RUST_LOG", "off");
    let said = why.output().expect("it starts");
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success());
    assert!(text.starts_with("snoozed: snoozed\nrule: a snooze lasts"), "{text}");
    for reading in ["time since last input", "power", "processor used by others", "free memory", "screen locked"] {
        assert!(text.contains(reading), "{text}");
    }
    assert!(text.contains("as the engine that runs here says"), "{text}");
    assert_eq!(engine.order(Order::Quit), Answer::Done);
    engine.ends_within(END_LIMIT);
    let said = why.output().expect("it starts");
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(text.contains("no engine runs here now"), "{text}");
}

/// With its manifest, as an installer leaves it.
fn copy(program: &Path, folder: &Path, name: &str) -> PathBuf {
    let to = folder.join(name);
    std::fs::copy(program, &to).expect("the program can be copied");
    let manifest = program.with_extension("sha256");
    std::fs::copy(&manifest, folder.join(format!("{name}.sha256")))
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask setup`", manifest.display()));
    to
}

/// In one step, as updates do it: a program that runs cannot be written to.
fn replace(program: &Path, with: &[u8]) {
    let new = program.with_extension("new");
    std::fs::write(&new, with).expect("it can be written");
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).expect("it can be made a program");
    std::fs::rename(new, program).expect("it can be replaced");
}
