//! Somebody wants quiet: they click the icon, choose an hour, and the engine obeys.

use super::desktop::{Desktop, wait_for};

/// Colours of `icons/tray`.
pub const INDIGO: [u8; 3] = [0x44, 0x50, 0xc8];
pub const AMBER: [u8; 3] = [0xff, 0xc4, 0x6b];
pub const SLATE: [u8; 3] = [0x63, 0x69, 0x79];
pub const RED: [u8; 3] = [0xc5, 0x35, 0x2b];

#[test]
fn from_the_menu_of_the_icon() {
    let desktop = Desktop::start();
    let _shell = desktop.shell("encoding", &[]);
    desktop.panel_shows("the picture of work", INDIGO, 20);

    desktop.click_the_icon();
    // The first thing that can be chosen is the snooze; its first choice is an hour.
    desktop.key(&["Down", "Right", "Return"]);
    let orders = wait_for("the order", || Some(desktop.orders()).filter(|orders| !orders.is_empty()));
    assert_eq!(orders, [r#"{"order":1,"type":"snooze","seconds":3600}"#]);
    desktop.panel_shows("the picture of a pause", SLATE, 20);
    desktop.panel_shows("its bars", AMBER, 5);

    desktop.click_the_icon();
    // Now the first is to end it.
    desktop.key(&["Down", "Return"]);
    wait_for("the second order", || {
        (desktop.orders().get(1).map(String::as_str) == Some(r#"{"order":2,"type":"snooze","seconds":0}"#)).then_some(())
    });
    desktop.panel_shows("the picture of waiting", INDIGO, 20);
}
