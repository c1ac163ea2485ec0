//! Takes the pictures of `docs/images/tray` anew: of the real window and the real menu, with an engine that only plays one.
//!
//! `cargo build -p offpeak-shell --bins --examples && cargo run -p offpeak-desktop --example tray_pictures -- FOLDER`, where
//! FOLDER is `docs/images/tray`, or another one to compare. Look at them before you commit them.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use offpeak_desktop::{Desktop, colours};

/// A page is drawn a moment after it has said its title, and its figures come from the engine.
const UNTIL_DRAWN: Duration = Duration::from_secs(2);

/// Name of the picture, state of the engine, page, and the title that the page gives itself.
const PAGES: [(&str, &str, &str, &str); 12] = [
    ("status", "encoding", "status", "Status"),
    ("waiting", "waiting", "status", "Status"),
    ("in-use", "user_active", "status", "Status"),
    ("paused", "paused", "status", "Status"),
    ("broken", "broken", "status", "Status"),
    ("join", "no_farm", "join", "Join a farm"),
    ("limits", "waiting", "limits", "Limits"),
    ("why", "user_active", "why", "Why"),
    ("log", "encoding", "log", "Log"),
    ("settings", "waiting", "settings", "Settings"),
    ("about", "waiting", "about", "About"),
    ("no-server", "no_server", "status", "Status"),
];

fn main() {
    let folder = env::args_os().nth(1).map(PathBuf::from).expect("a folder for the pictures");
    // An example lies in `examples` beside the programs.
    let own = env::current_exe().expect("this program");
    let examples = own.parent().expect("a folder");
    let tray = examples.parent().expect("a folder").join("offpeak-tray");
    let engine = examples.join("stand_in_engine");
    for program in [&tray, &engine] {
        assert!(program.exists(), "{} is not there: cargo build -p offpeak-shell --bins --examples", program.display());
    }
    for (look, theme) in [("light", "Adwaita"), ("dark", "Adwaita:dark")] {
        for (name, state, page, title) in PAGES {
            let desktop = Desktop::start();
            desktop.may_start_at_login();
            let variables = [("STAND_IN_STATE", OsStr::new(state)), ("GTK_THEME", OsStr::new(theme))];
            let _tray = desktop.start_tray(&tray, &engine, &variables, &["--open", page]);
            let title = format!("^{title} – Offpeak$");
            offpeak_desktop::wait_for(&title, || desktop.has_window(&title).then_some(()));
            std::thread::sleep(UNTIL_DRAWN);
            desktop.picture(Some(&title), &folder.join(format!("{name}-{look}.png")));
        }
        let name = if look == "light" { "menu".to_owned() } else { format!("menu-{look}") };
        menu(&tray, &engine, theme, &folder.join(format!("{name}.png")));
    }
}

/// The menu is what is different after the click.
fn menu(tray: &Path, engine: &Path, theme: &str, file: &Path) {
    let desktop = Desktop::start();
    let variables = [("STAND_IN_STATE", OsStr::new("encoding")), ("GTK_THEME", OsStr::new(theme))];
    let _tray = desktop.start_tray_at_login(tray, engine, &variables);
    desktop.panel_shows("the picture of work", colours::INDIGO, 20);
    let [before, after] = ["before.png", "after.png"].map(|name| desktop.folder.path().join(name));
    desktop.picture(None, &before);
    desktop.click_the_icon();
    desktop.key(&["Down"]);
    desktop.picture(None, &after);
    let mut compare = Command::new("convert");
    compare.args([&before, &after]).args(["-compose", "difference", "-composite", "-trim", "-format", "%wx%h%O", "info:"]);
    let part = compare.output().expect("ImageMagick's convert starts").stdout;
    let part = String::from_utf8_lossy(&part).trim().to_owned();
    let cut = Command::new("convert").arg(&after).args(["-crop", &part, "+repage"]).arg(file).status();
    cut.expect("ImageMagick's convert starts");
    assert!(file.exists(), "no picture of the menu at {part}");
}
