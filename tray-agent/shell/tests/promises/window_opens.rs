//! The window is made when somebody wants it, shows what the engine says, and its closing leaves the tray.

use offpeak_desktop::{colours, wait_for};

use super::stand_in::Desk;

#[test]
fn and_closes_without_ending_the_shell() {
    let desk = Desk::start();
    let mut shell = desk.tray("user_active", &["--open", "limits"]);
    // The window is opened as "Offpeak"; the page itself set this title, so its script ran under its content security policy and
    // heard from the shell.
    wait_for("the page", || desk.desktop.has_window("^Limits – Offpeak$").then_some(()));
    wait_for("the window closes", || {
        // A window that the manager has only just put there may not have the keyboard yet.
        desk.desktop.key(&["alt+F4"]);
        (!desk.desktop.has_window("Offpeak$")).then_some(())
    });
    desk.desktop.panel_shows("the picture of a person", colours::SLATE, 20);
    assert_eq!(shell.ended(), None);
}

#[test]
fn with_a_link_that_was_clicked_on_which_is_used_when_somebody_says_so() {
    let desk = Desk::start();
    let link = "offpeak://farm.lan/ofe_clicked";
    // As the desktop's entry has it.
    let _shell = desk.tray("no_farm", &["--open", "status", link]);
    wait_for("the page", || desk.desktop.has_window("^Join a farm – Offpeak$").then_some(()));
    assert!(desk.orders().is_empty(), "nobody has said so yet");
    let order = wait_for("the order", || {
        // The page puts the keyboard on the button as soon as it has heard of the link.
        desk.desktop.key(&["Return"]);
        desk.orders().into_iter().next()
    });
    assert_eq!(order, format!(r#"{{"order":1,"type":"join","link_or_code":"{link}","server":null,"name":null}}"#));
}

#[test]
fn with_a_link_where_there_is_a_farm_already_and_says_so() {
    let desk = Desk::start();
    // The app is started by the link: its engine has said nothing yet.
    let _shell = desk.tray("waiting", &["--open", "status", "offpeak://farm.lan/ofe_clicked"]);
    wait_for("where a farm is left", || desk.desktop.has_window("^Settings – Offpeak$").then_some(()));
    assert!(desk.orders().is_empty());
}
