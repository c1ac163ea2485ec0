//! A second start shows the window of the first and ends.

use offpeak_desktop::{colours, wait_for};

use super::stand_in::Desk;

#[test]
fn a_second_one_ends_and_the_first_shows_itself() {
    let desk = Desk::start();
    let mut first = desk.tray_at_login("waiting");
    desk.desktop.panel_shows("the icon", colours::INDIGO, 20);
    assert!(!desk.desktop.has_window("Offpeak$"), "nobody asked for a window yet");

    let mut second = desk.tray("waiting", &[]);
    assert!(wait_for("the second ends", || second.ended()), "it ends well");
    wait_for("the window of the first", || desk.desktop.has_window("Offpeak$").then_some(()));
    assert_eq!(first.ended(), None);
}

#[test]
fn one_that_somebody_starts_shows_its_window() {
    let desk = Desk::start();
    let _shell = desk.tray("waiting", &[]);
    wait_for("the window", || desk.desktop.has_window("Offpeak$").then_some(()));
}

#[test]
fn one_at_login_ends_where_nobody_said_yes() {
    let desk = Desk::start();
    let mut shell = desk.tray("waiting", &["--at-login"]);
    assert!(wait_for("it ends", || shell.ended()), "it ends well");
}
