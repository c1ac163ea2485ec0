//! What an administrator left on the machine joins it to a farm, once; nobody is joined against what somebody decided since.

use std::{fs, process::Command};

use offpeak_desktop::{Tray, colours, wait_for};

use super::stand_in::Desk;

const FIRST: &str = "offpeak://farm.lan/ofe_first";

fn preset(link: &str) -> String {
    format!(r#"{{"join":"{link}","start_at_login":true}}"#)
}

fn join(order: u64, link: &str) -> String {
    format!(r#"{{"order":{order},"type":"join","link_or_code":"{link}","server":null,"name":null}}"#)
}

/// Until the app is gone: it has said all that it had to say by then.
fn end(desk: &Desk, mut shell: Tray, icon: [u8; 3]) {
    // The handler of signals is there when the window system is.
    desk.desktop.panel_shows("the icon", icon, 15);
    assert!(Command::new("kill").args(["-TERM", &shell.pid().to_string()]).status().unwrap().success());
    assert!(wait_for("the shell ends", || shell.ended()), "it ends well");
}

fn kept(desk: &Desk) -> serde_json::Value {
    fs::read(desk.desktop.settings_file()).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

#[test]
fn once_a_link_and_not_again_after_the_farm_was_left() {
    let desk = Desk::start();
    desk.preset(&preset(FIRST));
    let shell = desk.tray_at_login("no_farm");
    wait_for("the order", || desk.orders().into_iter().next().filter(|order| *order == join(1, FIRST)));
    let mark = wait_for("the link is marked", || kept(&desk)["preset_used"].as_str().map(str::to_owned));
    assert!(!mark.contains("ofe_first"), "the code is a secret");
    end(&desk, shell, colours::INDIGO);

    // Its farm is gone: left, or the agent was deleted there.
    let before = desk.orders().len();
    end(&desk, desk.tray_at_login("no_farm"), colours::GREY);
    assert_eq!(desk.orders()[before..], [r#"{"order":1,"type":"quit"}"#]);

    let second = "offpeak://farm.lan/ofe_second";
    desk.preset(&preset(second));
    let before = desk.orders().len();
    let shell = desk.tray_at_login("no_farm");
    wait_for("the order for the new link", || desk.orders().get(before).filter(|order| **order == join(1, second)).cloned());
    end(&desk, shell, colours::INDIGO);
}

#[test]
fn nobody_who_was_revoked() {
    let desk = Desk::start();
    desk.preset(&preset(FIRST));
    let shell = desk.tray_at_login("revoked_there");
    wait_for("that is kept", || (kept(&desk)["taken_out"] == true).then_some(()));
    desk.desktop.panel_shows("the picture of trouble", colours::RED, 20);
    drop(shell);
    // Not even with another link.
    desk.preset(&preset("offpeak://farm.lan/ofe_second"));
    end(&desk, desk.tray_at_login("no_farm"), colours::GREY);
    assert_eq!(desk.orders(), [r#"{"order":1,"type":"quit"}"#]);
}

#[test]
fn as_soon_as_there_is_a_network() {
    let desk = Desk::start();
    desk.preset(&preset(FIRST));
    let _shell = desk.tray_at_login("no_network");
    wait_for("the second try", || Some(desk.orders()).filter(|orders| orders.len() > 1));
    assert_eq!(desk.orders(), [join(1, FIRST), join(2, FIRST)]);
    wait_for("that it was used is kept", || kept(&desk)["preset_used"].as_str().map(drop));
}

#[test]
fn one_that_is_refused_is_not_tried_at_each_login() {
    let desk = Desk::start();
    // The stand-in takes no code that does not look like one.
    desk.preset(&preset("offpeak://farm.lan/nonsense"));
    let shell = desk.tray_at_login("no_farm");
    wait_for("the order", || desk.orders().into_iter().next());
    wait_for("the link is marked", || kept(&desk)["preset_used"].as_str().map(drop));
    end(&desk, shell, colours::GREY);
    let before = desk.orders().len();
    end(&desk, desk.tray_at_login("no_farm"), colours::GREY);
    assert_eq!(desk.orders()[before..], [r#"{"order":1,"type":"quit"}"#]);
}
