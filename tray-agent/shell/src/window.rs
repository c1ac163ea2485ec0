//! The window: made when somebody wants it and gone when they close it. One that is only hidden costs 130 MB (PSS).

use tauri::{AppHandle, Emitter, Manager, WebviewUrl, WebviewWindowBuilder, WindowEvent};

use crate::{
    app::{lock, notify, shell},
    notes::Note,
    words,
};

pub const LABEL: &str = "main";
const SIZE: (f64, f64) = (960.0, 700.0);
const LEAST_SIZE: (f64, f64) = (620.0, 460.0);

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Page {
    Status,
    Join,
    Limits,
    Why,
    Log,
    Settings,
    About,
}

impl Page {
    fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Join => "join",
            Self::Limits => "limits",
            Self::Why => "why",
            Self::Log => "log",
            Self::Settings => "settings",
            Self::About => "about",
        }
    }
}

pub fn open(app: &AppHandle, page: Page) {
    let on_main = app.clone();
    // It fails only when the program ends.
    let _ends = app.run_on_main_thread(move || {
        if let Err(error) = open_on_main(&on_main, page) {
            eprintln!("offpeak-tray: cannot open the window: {error}");
        }
    });
}

fn open_on_main(app: &AppHandle, page: Page) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(LABEL) {
        app.emit_to(LABEL, "page", page.name())?;
        window.unminimize()?;
        window.show()?;
        return window.set_focus();
    }
    let address = WebviewUrl::App(format!("index.html#{}", page.name()).into());
    let window = WebviewWindowBuilder::new(app, LABEL, address)
        .title(words::PRODUCT)
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(LEAST_SIZE.0, LEAST_SIZE.1)
        .center()
        .focused(true)
        // The page names itself after what it shows; lists of windows and screen readers say so, too.
        .on_document_title_changed(|window, title| drop(window.set_title(&title)))
        .build()?;
    let app = app.clone();
    window.on_window_event(move |event| {
        if matches!(event, WindowEvent::Destroyed) {
            closed(&app);
        }
    });
    Ok(())
}

fn closed(app: &AppHandle) {
    let shell = shell(app);
    // Nobody looks for servers any more.
    *lock(&shell.search) = None;
    *lock(&shell.offered) = None;
    if !shell.settings().knows_the_tray && !shell.is_ending() {
        notify(app, &Note { title: words::NOTE_HIDDEN, body: words::NOTE_HIDDEN_BODY.to_owned() });
        // At worst it is explained once more.
        let _not_kept = shell.change_settings(|settings| settings.knows_the_tray = true);
    }
}
