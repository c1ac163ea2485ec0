//! A second start shows the window of the first and ends.

use super::desktop::{Desktop, wait_for};

#[test]
fn a_second_one_ends_and_the_first_shows_itself() {
    let desktop = Desktop::start();
    let mut first = desktop.shell("waiting", &[]);
    desktop.panel_shows("the icon", super::person_snoozes::INDIGO, 20);
    assert!(!desktop.has_window("^Offpeak$"), "nobody asked for a window yet");

    let mut second = desktop.shell("waiting", &[]);
    assert!(wait_for("the second ends", || second.ended()), "it ends well");
    wait_for("the window of the first", || desktop.has_window("^Offpeak$").then_some(()));
    assert_eq!(first.ended(), None);
}

#[test]
fn one_at_login_ends_where_nobody_said_yes() {
    let desktop = Desktop::start();
    let mut shell = desktop.shell("waiting", &["--at-login"]);
    assert!(wait_for("it ends", || shell.ended()), "it ends well");
}
