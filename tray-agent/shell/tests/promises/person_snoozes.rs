//! Somebody wants quiet: they click the icon, choose an hour, and the engine obeys.

use offpeak_desktop::{colours, wait_for};

use super::stand_in::Desk;

#[test]
fn from_the_menu_of_the_icon() {
    let desk = Desk::start();
    let _shell = desk.tray_at_login("encoding");
    desk.desktop.panel_shows("the picture of work", colours::INDIGO, 20);

    desk.desktop.click_the_icon();
    // The first thing that can be chosen is the snooze; its first choice is an hour.
    desk.desktop.key(&["Down", "Right", "Return"]);
    let orders = wait_for("the order", || Some(desk.orders()).filter(|orders| !orders.is_empty()));
    assert_eq!(orders, [r#"{"order":1,"type":"snooze","seconds":3600}"#]);
    desk.desktop.panel_shows("the picture of a pause", colours::SLATE, 20);
    desk.desktop.panel_shows("its bars", colours::AMBER, 5);

    desk.desktop.click_the_icon();
    // Now the first is to end it.
    desk.desktop.key(&["Down", "Return"]);
    wait_for("the second order", || {
        (desk.orders().get(1).map(String::as_str) == Some(r#"{"order":2,"type":"snooze","seconds":0}"#)).then_some(())
    });
    desk.desktop.panel_shows("the picture of waiting", colours::INDIGO, 20);
}
