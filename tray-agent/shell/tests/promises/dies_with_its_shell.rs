//! However the shell ends, no engine is left.

use std::{process::Command, time::Duration};

use offpeak_desktop::{colours, is_alive, wait_for, within};

use super::stand_in::Desk;

#[test]
fn killed() {
    let desk = Desk::start();
    // It does not hear that its input ends: it is the system that ends it.
    let mut shell = desk.tray_at_login("deaf");
    let engine = wait_for("an engine", || shell.engine());
    shell.kill();
    within(Duration::from_secs(1), "the engine ends", || (!is_alive(engine)).then_some(()));
}

#[test]
fn told_to_end() {
    let desk = Desk::start();
    let mut shell = desk.tray_at_login("encoding");
    let engine = wait_for("an engine", || shell.engine());
    // The handler of signals is there when the window system is.
    desk.desktop.panel_shows("the icon", colours::INDIGO, 20);
    assert!(Command::new("kill").args(["-TERM", &shell.pid().to_string()]).status().unwrap().success());
    assert!(wait_for("the shell ends", || shell.ended()), "it ends well");
    assert!(!is_alive(engine));
    assert_eq!(desk.orders(), [r#"{"order":1,"type":"quit"}"#], "the engine was asked first");
}
