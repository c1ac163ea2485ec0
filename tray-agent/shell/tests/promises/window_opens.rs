//! The window is made when somebody wants it, shows what the engine says, and its closing leaves the tray.

use offpeak_desktop::{colours, wait_for};

use super::stand_in::Desk;

#[test]
fn and_closes_without_ending_the_shell() {
    let desk = Desk::start();
    let mut shell = desk.tray("user_active", &["--open", "limits"]);
    wait_for("the window", || desk.desktop.has_window("^Offpeak$").then_some(()));
    // The page itself set this title: the script ran under its content security policy and heard from the shell.
    wait_for("the window closes", || {
        // A window that the manager has only just put there may not have the keyboard yet.
        desk.desktop.key(&["alt+F4"]);
        (!desk.desktop.has_window("^Offpeak$")).then_some(())
    });
    desk.desktop.panel_shows("the picture of a person", colours::SLATE, 20);
    assert_eq!(shell.ended(), None);
}
