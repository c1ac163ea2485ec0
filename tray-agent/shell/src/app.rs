//! What the running shell holds, and what happens when something is heard.

use std::{
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{Local, Utc};
use offpeak_api::enrolment::EnrolLink;
use offpeak_link::{Answer, FromEngine, Level, LogLine, Order};
use serde::Serialize;
use tauri::{AppHandle, Emitter, Manager};
use tauri_plugin_notification::NotificationExt;

use crate::{
    desk::{Changed, Desk, Engine as EngineState},
    discover::Search,
    engine::{Engine, Heard, Program},
    face::{Face, Wish},
    joining,
    limits::{InForce, in_force},
    notes::{self, Note},
    preset::Preset,
    settings::Settings,
    tray::Tray,
    update::Update,
    window::{self, Page},
    words,
};

/// Of the five seconds that Windows gives.
const SESSION_ENDS_WITHIN: Duration = Duration::from_secs(4);

pub struct Shell {
    pub(crate) desk: Mutex<Desk>,
    face: Mutex<Option<Face>>,
    /// What is shown is shown by one thread at a time, so that nothing older comes after it.
    showing: Mutex<()>,
    /// With its program, for starting it anew.
    engine: Mutex<Option<(Program, Engine)>>,
    settings: Mutex<Settings>,
    settings_file: Option<PathBuf>,
    pub(crate) preset: Option<Preset>,
    /// A link that somebody clicked on.
    pub(crate) offered: Mutex<Option<String>>,
    /// One that was clicked on before the engine has said whether there is a farm already.
    early_offer: Mutex<Option<String>>,
    pub(crate) is_joining_as_preset: AtomicBool,
    is_ending: AtomicBool,
    pub(crate) tray: Mutex<Option<Tray>>,
    pub(crate) search: Mutex<Option<Search>>,
    pub(crate) update: Mutex<Update>,
}

/// Everything that the window shows, but the log.
#[derive(Debug, Clone, Serialize)]
pub struct Snapshot {
    #[serde(flatten)]
    desk: Desk,
    face: Face,
    in_force: Option<InForce>,
    settings: Settings,
    start_at_login: bool,
    update: Update,
    offered_link: Option<String>,
    version: &'static str,
    /// What the engine calls this computer where nobody names it.
    host_name: String,
}

/// A panic elsewhere must not take the tray away.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shell {
    pub fn new(settings_file: Option<PathBuf>, settings: Settings, preset: Result<Option<Preset>, String>) -> Self {
        let mut desk = Desk::default();
        let preset = preset.unwrap_or_else(|problem| {
            desk.log(LogLine { at: Utc::now(), level: Level::Error, text: problem });
            None
        });
        Self {
            desk: Mutex::new(desk),
            face: Mutex::default(),
            showing: Mutex::default(),
            engine: Mutex::default(),
            settings: Mutex::new(settings),
            settings_file,
            preset,
            offered: Mutex::default(),
            early_offer: Mutex::default(),
            is_joining_as_preset: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
            tray: Mutex::default(),
            search: Mutex::default(),
            update: Mutex::default(),
        }
    }

    pub fn engine(&self) -> Option<Engine> {
        lock(&self.engine).as_ref().map(|(_, engine)| engine.clone())
    }

    pub fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::SeqCst)
    }

    pub fn desk(&self) -> Desk {
        lock(&self.desk).clone()
    }

    pub fn log(&self) -> Vec<LogLine> {
        lock(&self.desk).log.iter().cloned().collect()
    }

    pub fn settings(&self) -> Settings {
        lock(&self.settings).clone()
    }

    /// Changes the settings, and keeps them.
    ///
    /// # Errors
    /// When they cannot be written; they hold until the shell ends all the same.
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) -> Result<(), String> {
        let settings = {
            let mut settings = lock(&self.settings);
            change(&mut settings);
            settings.clone()
        };
        let Some(file) = &self.settings_file else { return Ok(()) };
        settings.write(file).map_err(|error| format!("Offpeak cannot keep this in {}: {error}", file.display()))
    }

    /// Whether an administrator said yes, and the person has not said anything yet.
    pub fn is_preset_to_start_at_login(&self) -> bool {
        let settings = self.settings();
        settings.start_at_login.is_none() && crate::login::is_wanted(&settings, self.preset.as_ref())
    }

    pub fn snapshot(&self) -> Snapshot {
        let desk = self.desk();
        let settings = self.settings();
        Snapshot {
            face: Face::of(&desk, &Local),
            in_force: desk.now.as_ref().map(in_force),
            desk,
            start_at_login: crate::login::is_wanted(&settings, self.preset.as_ref()),
            settings,
            update: lock(&self.update).clone(),
            offered_link: lock(&self.offered).clone(),
            version: env!("CARGO_PKG_VERSION"),
            host_name: gethostname::gethostname().to_string_lossy().into_owned(),
        }
    }
}

pub fn shell(app: &AppHandle) -> tauri::State<'_, Shell> {
    app.state::<Shell>()
}

/// Starts the engine, which is then looked after.
///
/// # Errors
/// When the system gives no thread.
pub fn start_engine(app: &AppHandle, program: Program) -> std::io::Result<()> {
    let hearing = app.clone();
    let engine = Engine::start(program.clone(), move |heard| hear(&hearing, heard))?;
    *lock(&shell(app).engine) = Some((program, engine));
    Ok(())
}

/// Starts one that was told to end once more.
///
/// # Errors
/// As above.
pub fn start_engine_again(app: &AppHandle) -> std::io::Result<()> {
    let program = lock(&shell(app).engine).as_ref().map(|(program, _)| program.clone());
    program.map_or(Ok(()), |program| start_engine(app, program))
}

/// Fills a link in on the page for joining. Whoever made somebody click on it has not joined them to anything.
pub fn offer(app: &AppHandle, link: String) {
    let is_joined = {
        let shell = shell(app);
        let desk = lock(&shell.desk);
        match (&desk.engine, desk.running()) {
            (EngineState::Starting | EngineState::Running { .. }, None) => {
                // It says so within a second of its start.
                *lock(&shell.early_offer) = Some(link);
                return;
            }
            (_, now) => now.is_some_and(|now| now.farm.is_some()),
        }
    };
    if is_joined {
        notify(app, &Note { title: words::NOTE_IN_A_FARM, body: words::NOTE_IN_A_FARM_BODY.to_owned() });
        return window::open(app, Page::Settings);
    }
    if EnrolLink::is_link(&link) {
        *lock(&shell(app).offered) = Some(link);
    } else {
        log(app, Level::Warn, format!("“{link}” is no enrolment link, and is passed over"));
    }
    window::open(app, Page::Join);
    show(app);
}

/// For the log of the window.
pub fn log(app: &AppHandle, level: Level, text: String) {
    let line = LogLine { at: Utc::now(), level, text };
    tell_window(app, "log", &line);
    lock(&shell(app).desk).log(line);
}

/// Called on the engine's thread.
fn hear(app: &AppHandle, heard: Heard) {
    let shell = shell(app);
    let changed = {
        let mut desk = lock(&shell.desk);
        match heard {
            Heard::Event(FromEngine::Log(line)) => {
                tell_window(app, "log", &line);
                desk.hear(FromEngine::Log(line))
            }
            Heard::Event(event) => desk.hear(event),
            Heard::Starting => {
                desk.starting();
                Changed::State
            }
            Heard::Down { seconds, why, again } => {
                let text = format!("the engine is down: {why}; it is started again in {seconds} s");
                let line = LogLine { at: Utc::now(), level: Level::Error, text };
                tell_window(app, "log", &line);
                desk.log(line);
                set(&mut desk, EngineState::Down { seconds, why, again })
            }
            Heard::Ended => set(&mut desk, EngineState::Ended),
        }
    };
    match changed {
        Changed::State => show(app),
        Changed::Log | Changed::Nothing => return,
    }
    let early_offer = lock(&shell.early_offer).take();
    if let Some(link) = early_offer {
        offer(app, link);
    }
    joining::heed_preset(app);
}

fn set(desk: &mut Desk, engine: EngineState) -> Changed {
    desk.engine = engine;
    Changed::State
}

/// Brings tray and window to what is known, and says what has to be said.
pub fn show(app: &AppHandle) {
    let shell = shell(app);
    let note = {
        let _one_at_a_time = lock(&shell.showing);
        let desk = shell.desk();
        let face = Face::of(&desk, &Local);
        let before = lock(&shell.face).replace(face.clone());
        if before.as_ref() != Some(&face) {
            let on_main = app.clone();
            // It fails only when the program ends.
            let _ends = app.run_on_main_thread(move || show_on_main(&on_main));
        }
        tell_window(app, "snapshot", &shell.snapshot());
        notes::about(before.as_ref(), &face, &desk)
    };
    if let Some(note) = note {
        notify(app, &note);
    }
}

/// The newest face, whichever was the one that this was called for: calls from the main thread overtake those of others.
fn show_on_main(app: &AppHandle) {
    let face = lock(&shell(app).face).clone();
    if let Some(face) = face {
        crate::tray::show(app, &face);
    }
}

fn tell_window(app: &AppHandle, event: &str, payload: &(impl Serialize + Clone)) {
    if app.get_webview_window(window::LABEL).is_some() {
        // A window that closes just now needs no news.
        let _closing = app.emit_to(window::LABEL, event, payload);
    }
}

pub fn notify(app: &AppHandle, note: &Note) {
    if shell(app).settings().notifications {
        // Desktops without notifications have the tray.
        let _none_here = app.notification().builder().title(note.title).body(&note.body).show();
    }
}

/// An order whose answer only matters when it is a refusal.
pub fn tell_engine(app: &AppHandle, order: Order) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let Some(engine) = shell(&app).engine() else { return };
        if let Answer::Refused { code, message } = engine.order(order).await {
            log(&app, Level::Warn, format!("{message} ({code})"));
            notify(&app, &Note { title: words::NOTE_ATTENTION, body: message });
        }
    });
}

pub fn grant(app: &AppHandle, wish: Wish) {
    match wish {
        Wish::Snooze { hours } => tell_engine(app, Order::Snooze { seconds: hours * 3600 }),
        Wish::EndSnooze => tell_engine(app, Order::Snooze { seconds: 0 }),
        Wish::Pause => tell_engine(app, Order::Pause),
        Wish::Resume => tell_engine(app, Order::Resume),
        Wish::Join => window::open(app, Page::Join),
        Wish::Update => window::open(app, Page::Settings),
        Wish::Open => window::open(app, Page::Status),
        Wish::About => window::open(app, Page::About),
        Wish::Quit => quit(app),
    }
}

/// For an end that nobody can be kept from, as of a session on Windows, which waits five seconds: the engine is asked, at least.
pub fn end_at_once(app: &AppHandle) {
    if let Some(engine) = shell(app).engine() {
        let _too_late = tauri::async_runtime::block_on(async { tokio::time::timeout(SESSION_ENDS_WITHIN, engine.stop()).await });
    }
}

/// The engine hands back what it holds, then everything ends.
pub fn quit(app: &AppHandle) {
    if shell(app).is_ending.swap(true, Ordering::SeqCst) {
        return;
    }
    if let Some(window) = app.get_webview_window(window::LABEL) {
        // Nobody should wait in front of it.
        let _gone = window.destroy();
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Some(engine) = shell(&app).engine() {
            engine.stop().await;
        }
        app.exit(0);
    });
}
