//! A desktop of its own for each test: display, session bus, window manager and panel, and hands that click and type. It
//! runs the tray app as a person would; what it sees, it sees on the screen.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a desktop that cannot be had is a failed test")]

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Colours of the tray's pictures (`tray-agent/shell/icons/tray`).
pub mod colours {
    pub const INDIGO: [u8; 3] = [0x44, 0x50, 0xc8];
    pub const AMBER: [u8; 3] = [0xff, 0xc4, 0x6b];
    pub const SLATE: [u8; 3] = [0x63, 0x69, 0x79];
    pub const GREY: [u8; 3] = [0x8a, 0x90, 0xa1];
    pub const RED: [u8; 3] = [0xc5, 0x35, 0x2b];
}

/// A machine that builds something else at the same time is slow; a test that waits for nothing ends at once.
const LIMIT: Duration = Duration::from_secs(60);
const PANEL_HEIGHT: u32 = 28;

/// Waits until `look` finds something.
pub fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_for_that(&|| what.to_owned(), look)
}

fn wait_for_that<T>(what: &dyn Fn() -> String, look: impl FnMut() -> Option<T>) -> T {
    within_that(LIMIT, what, look)
}

/// Waits so long until `look` finds something.
pub fn within<T>(limit: Duration, what: &str, look: impl FnMut() -> Option<T>) -> T {
    within_that(limit, &|| what.to_owned(), look)
}

fn within_that<T>(limit: Duration, what: &dyn Fn() -> String, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{}: not within {limit:?}", what());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process runs.
pub fn is_alive(pid: u32) -> bool {
    // A zombie has ended; only its parent has not looked yet.
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z')))
}

/// A program of the desktop; it ends with the test.
struct Program(Child);

impl Program {
    fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_owned();
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn();
        Self(
            child.unwrap_or_else(|error| {
                panic!("{} does not start: {error}. `cargo xtask setup --test` installs it", name.display())
            }),
        )
    }

    fn first_line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended_before = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// What a person sits at; it ends with the test.
pub struct Desktop {
    display: String,
    bus: String,
    /// The person's home.
    pub folder: TempDir,
    // Dropped in this order: the display last.
    _windows: Program,
    _bus: Program,
    _display: Program,
}

impl Desktop {
    /// # Panics
    /// When a program that it needs is missing.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("offpeak-desk-").tempdir().unwrap();
        // The server takes a free number and says which.
        let mut server = Program::start(
            Command::new("Xvfb")
                .args(["-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp"])
                .stdout(Stdio::piped()),
        );
        let display = format!(":{}", server.first_line());
        assert_ne!(display, ":", "Xvfb gave no display");
        let mut bus = Program::start(
            Command::new("dbus-daemon").args(["--session", "--nofork", "--print-address=1"]).stdout(Stdio::piped()),
        );
        let address = bus.first_line();
        let on = |name: &str| {
            let mut command = Command::new(name);
            command.env("DISPLAY", &display).env("DBUS_SESSION_BUS_ADDRESS", &address).stdout(Stdio::null());
            command
        };
        // A panel that is there before the window manager stays invisible, so the one starts the other. It ends with the display.
        let panel = format!("trayer --edge bottom --align right --widthtype request --height {PANEL_HEIGHT}");
        let windows = Program::start(on("openbox").args(["--startup", &panel]));
        Self { display, bus: address, folder, _windows: windows, _bus: bus, _display: server }
    }

    /// A command on this desktop, for a person who has nothing in their home.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        let home = self.folder.path();
        command
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_RUNTIME_DIR", home)
            .env_remove("WAYLAND_DISPLAY");
        command
    }

    /// Starts the tray app with this engine.
    pub fn start_tray(&self, tray: &Path, engine: &Path, variables: &[(&str, &OsStr)], arguments: &[&str]) -> Tray {
        let log = fs::File::create(self.folder.path().join("tray.log")).unwrap();
        let mut command = self.command(tray);
        command.args(arguments).env("OFFPEAK_ENGINE", engine).envs(variables.iter().copied());
        Tray(command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap())
    }

    /// As a login does for somebody who once said that it may: an icon, and no window.
    pub fn start_tray_at_login(&self, tray: &Path, engine: &Path, variables: &[(&str, &OsStr)]) -> Tray {
        self.may_start_at_login();
        self.start_tray(tray, engine, variables, &["--at-login"])
    }

    /// The person has said that the tray app may start with their login, if it has kept nothing yet.
    pub fn may_start_at_login(&self) {
        let settings = self.settings_file();
        if !settings.exists() {
            fs::create_dir_all(settings.parent().unwrap()).unwrap();
            fs::write(settings, r#"{"start_at_login":true}"#).unwrap();
        }
    }

    /// What the tray app keeps of its own.
    pub fn settings_file(&self) -> PathBuf {
        self.folder.path().join("config/offpeak/tray.json")
    }

    fn xdotool(&self, arguments: &[&str]) -> String {
        let output = self.command("xdotool").args(arguments).output().expect("xdotool starts");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Presses these keys one after another.
    pub fn key(&self, keys: &[&str]) {
        for key in keys {
            self.xdotool(&["key", key]);
            // A menu takes its keys one after another.
            std::thread::sleep(Duration::from_millis(150));
        }
    }

    /// Where the panel is: x, y, width, height.
    fn panel(&self) -> Option<[u32; 4]> {
        let window = self.xdotool(&["search", "--onlyvisible", "--class", "trayer"]);
        let said = self.xdotool(&["getwindowgeometry", "--shell", window.lines().last()?]);
        let value = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')?.parse().ok());
        Some([value("X")?, value("Y")?, value("WIDTH")?, value("HEIGHT")?])
    }

    /// The colours that the panel shows.
    fn panel_pixels(&self) -> Option<Vec<[u8; 3]>> {
        let [x, y, width, height] = self.panel()?;
        let part = format!("{width}x{height}+{x}+{y}");
        let output = self.command("import").args(["-silent", "-window", "root", "-crop", &part, "-depth", "8", "rgb:-"]).output();
        let pixels = output.expect("ImageMagick's import starts").stdout;
        (!pixels.is_empty()).then(|| pixels.chunks_exact(3).map(|rgb| [rgb[0], rgb[1], rgb[2]]).collect())
    }

    /// Waits until the panel shows so much of a colour, in hundredths of the icon.
    pub fn panel_shows(&self, what: &str, colour: [u8; 3], percent: usize) {
        let icon = (PANEL_HEIGHT * PANEL_HEIGHT) as usize;
        let describe = || format!("{what}; the panel is at {:?}", self.panel());
        wait_for_that(&describe, || {
            let close = |pixel: &&[u8; 3]| pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 24);
            let found = self.panel_pixels()?.iter().filter(close).count();
            (found * 100 >= icon * percent).then_some(())
        });
    }

    /// Opens the menu of the only icon in the panel.
    pub fn click_the_icon(&self) {
        let [x, y, width, height] = wait_for("the panel", || self.panel());
        let (x, y) = ((x + width / 2).to_string(), (y + height / 2).to_string());
        self.xdotool(&["mousemove", &x, &y, "click", "1"]);
        // Until the menu has the keyboard.
        std::thread::sleep(Duration::from_millis(700));
    }

    /// Whether a window with a title like this is on the screen.
    pub fn has_window(&self, title: &str) -> bool {
        self.window(title).is_some()
    }

    fn window(&self, title: &str) -> Option<String> {
        let found = self.xdotool(&["search", "--onlyvisible", "--name", title]);
        found.lines().next().map(str::to_owned)
    }

    /// Takes a picture of the window with a title like this; of the whole screen without one.
    pub fn picture(&self, title: Option<&str>, file: &Path) {
        let window = title.map_or_else(|| "root".to_owned(), |title| wait_for(title, || self.window(title)));
        let taken = self.command("import").args(["-silent", "-window", &window]).arg(file).status();
        assert!(taken.is_ok_and(|status| status.success()), "no picture of {title:?}");
    }
}

/// The running tray app.
pub struct Tray(Child);

impl Tray {
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// The process id of the engine below it.
    pub fn engine(&self) -> Option<u32> {
        children(self.pid())
            .into_iter()
            .find(|pid| fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains("--link")))
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        let _reaped = self.0.wait();
    }

    /// Whether it has ended, and well.
    pub fn ended(&mut self) -> Option<bool> {
        self.0.try_wait().unwrap().map(|status| status.success())
    }
}

impl Drop for Tray {
    fn drop(&mut self) {
        let _ended_before = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Process ids of its children, of all threads: a child belongs to the thread that started it.
pub fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}
