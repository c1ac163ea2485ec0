//! The window is made when somebody wants it, shows what the engine says, and its closing leaves the tray.

use super::desktop::{Desktop, wait_for};

#[test]
fn and_closes_without_ending_the_shell() {
    let desktop = Desktop::start();
    let mut shell = desktop.shell("user_active", &["--open", "limits"]);
    wait_for("the window", || desktop.has_window("^Offpeak$").then_some(()));
    // The page itself set this title: the script ran under its content security policy and heard from the shell.
    desktop.key(&["alt+F4"]);
    wait_for("the window closes", || (!desktop.has_window("^Offpeak$")).then_some(()));
    desktop.panel_shows("the picture of a person", super::person_snoozes::SLATE, 20);
    assert_eq!(shell.ended(), None);
}
