//! However the shell ends, no engine is left.

use std::{process::Command, time::Duration};

use super::desktop::{Desktop, is_alive, wait_for, within};

#[test]
fn killed() {
    let desktop = Desktop::start();
    let mut shell = desktop.shell("encoding", &[]);
    let engine = wait_for("an engine", || shell.engine());
    shell.kill();
    within(Duration::from_secs(1), "the engine ends", || (!is_alive(engine)).then_some(()));
}

#[test]
fn told_to_end() {
    let desktop = Desktop::start();
    let mut shell = desktop.shell("encoding", &[]);
    let engine = wait_for("an engine", || shell.engine());
    // The handler of signals is there when the window system is.
    desktop.panel_shows("the icon", super::person_snoozes::INDIGO, 20);
    assert!(Command::new("kill").args(["-TERM", &shell.pid().to_string()]).status().unwrap().success());
    assert!(wait_for("the shell ends", || shell.ended()), "it ends well");
    assert!(!is_alive(engine));
    assert_eq!(desktop.orders(), [r#"{"order":1,"type":"quit"}"#], "the engine was asked first");
}
