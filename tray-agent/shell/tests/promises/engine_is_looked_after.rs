//! An engine that dies is started again, and people are told why; orders meanwhile are refused, not lost.

use std::{
    path::PathBuf,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use offpeak_link::{Answer, FromEngine, Order};
use offpeak_shell::engine::{Engine, Heard, Program};

use offpeak_desktop::{children, colours, is_alive, wait_for};

use super::stand_in::Desk;

const LIMIT: Duration = Duration::from_secs(60);

fn start(script: &str) -> (Engine, Receiver<Heard>) {
    let (heard, hears) = channel();
    let program = Program { path: PathBuf::from("/bin/sh"), arguments: vec!["-c".to_owned(), script.to_owned()] };
    let engine = Engine::start(program, move |event| drop(heard.send(event))).unwrap();
    (engine, hears)
}

fn until_down(hears: &Receiver<Heard>) -> (u64, String) {
    loop {
        match hears.recv_timeout(LIMIT).unwrap() {
            Heard::Down { seconds, why, again: _ } => return (seconds, why),
            Heard::Event(_) | Heard::Starting => {}
            Heard::Ended => panic!("nobody told it to end"),
        }
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

const HELLO: &str = r#"{"type":"hello","protocol":1,"version":"9.9.9","pid":1}"#;

#[test]
fn it_is_started_again_later_and_later_and_says_why() {
    let (engine, hears) = start("echo '2026-11-25T22:00:00.123456Z ERROR the disk is full' >&2; exit 3");
    for seconds in [1, 2] {
        let (pause, why) = until_down(&hears);
        assert_eq!((pause, why.as_str()), (seconds, "it ended with exit status: 3 (the disk is full)"));
    }
    let Answer::Refused { code, .. } = wait(engine.order(Order::Pause)) else { panic!("nobody is there to obey") };
    assert_eq!(code, "engine_not_running");
    wait(engine.stop());
    assert!(hears.iter().any(|heard| heard == Heard::Ended));
}

#[test]
fn one_that_is_missing_is_told_of() {
    let (heard, hears) = channel();
    let program = Program { path: PathBuf::from("/nowhere/offpeak-agent"), arguments: Vec::new() };
    let _engine = Engine::start(program, move |event| drop(heard.send(event))).unwrap();
    assert_eq!(until_down(&hears).1, "/nowhere/offpeak-agent does not start: No such file or directory (os error 2)");
}

#[test]
fn one_of_another_version_is_not_talked_to() {
    let (_engine, hears) = start(&format!("echo '{}'; exec sleep 600", HELLO.replace("\"protocol\":1", "\"protocol\":2")));
    let why = until_down(&hears).1;
    assert!(why.contains("its version 9.9.9 does not fit"), "{why}");
}

#[test]
fn what_it_answers_comes_back_and_rubbish_does_not_matter() {
    let answer = r#"{"type":"answer","order":1,"answer":{"outcome":"done"}}"#;
    let (engine, hears) = start(&format!("echo '{HELLO}'; echo rubbish; read order; echo '{answer}'; cat > /dev/null"));
    assert_eq!(wait(engine.order(Order::Resume)), Answer::Done);
    let heard: Vec<Heard> = hears.try_iter().collect();
    assert!(
        matches!(&heard[..], [Heard::Starting, Heard::Event(FromEngine::Hello { version, .. })] if version == "9.9.9"),
        "{heard:?}"
    );
    wait(engine.stop());
}

#[test]
fn the_tray_shows_it() {
    let desk = Desk::start();
    let shell = desk.tray_at_login("dies");
    desk.desktop.panel_shows("the picture of trouble", colours::RED, 20);
    assert!(is_alive(shell.pid()));
}

#[test]
fn one_that_was_killed_is_back() {
    let desk = Desk::start();
    let shell = desk.tray_at_login("encoding");
    let engine = wait_for("an engine", || shell.engine());
    assert!(std::process::Command::new("kill").args(["-KILL", &engine.to_string()]).status().unwrap().success());
    let next = wait_for("another engine", || shell.engine().filter(|next| *next != engine));
    assert!(children(shell.pid()).contains(&next));
    desk.desktop.panel_shows("the picture of work", colours::INDIGO, 20);
}
