//! `offpeak-tray`: the shell as a program.

// A console window beside a tray app would be one too many.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::{env, path::PathBuf, process::ExitCode};

use clap::Parser;
use offpeak_shell::{
    app::{self, Shell, shell},
    commands,
    engine::Program,
    face::Face,
    login, preset, settings, tray, update,
    window::{self, Page},
};
use tauri::{AppHandle, RunEvent};

/// Shows what this computer does for its farm, in the tray, and lets its person decide when.
#[derive(Debug, Parser)]
#[command(name = "offpeak-tray", version)]
struct Args {
    /// The engine's program [default: `offpeak-agent` beside this one].
    #[arg(long, env = "OFFPEAK_ENGINE", value_name = "FILE")]
    engine: Option<PathBuf>,
    /// Open the window on this page; of a shell that runs already, too.
    #[arg(long, value_name = "PAGE", num_args = 0..=1, default_missing_value = "status")]
    open: Option<Page>,
    /// Started by the system when its person logs in: end at once if they do not want that.
    #[arg(long)]
    at_login: bool,
    /// Look for a new version and install it; of a shell that runs already, too.
    #[arg(long)]
    update: bool,
    /// An enrolment link, as a browser passes it on: it is filled in on the page for joining, and used when somebody says so.
    link: Option<String>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let settings_file = settings::file(env::consts::OS, variable);
    let settings = settings_file.as_deref().map(settings::Settings::read).unwrap_or_default();
    let preset = preset_file().map_or(Ok(None), |file| preset::Preset::read(&file));
    if args.at_login && !login::is_wanted(&settings, preset.as_ref().ok().and_then(Option::as_ref)) {
        return ExitCode::SUCCESS;
    }
    if cfg!(target_os = "linux") && variable("DISPLAY").is_none() && variable("WAYLAND_DISPLAY").is_none() {
        eprintln!("offpeak-tray: there is no display to show an icon on. Without one, run the engine alone: offpeak-agent run");
        return ExitCode::FAILURE;
    }
    let shell = Shell::new(settings_file, settings, preset);
    match run(args, shell) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("offpeak-tray: {error}");
            ExitCode::FAILURE
        }
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A debug build can be told of another one, so that a preset can be tried without being an administrator.
fn preset_file() -> Option<PathBuf> {
    let tried = if cfg!(debug_assertions) { variable("OFFPEAK_TRY_PRESET") } else { None };
    tried.or_else(|| preset::file(env::consts::OS, variable))
}

fn run(args: Args, shell: Shell) -> tauri::Result<()> {
    let autostart = tauri_plugin_autostart::Builder::new().app_name("Offpeak").arg(login::AT_LOGIN).build();
    let app = tauri::Builder::default()
        // The first plugin, so that a second shell ends before it does anything.
        .plugin(tauri_plugin_single_instance::init(|app, arguments, _folder| another(app, &arguments)))
        .plugin(autostart)
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_updater::Builder::new().build())
        .manage(shell)
        .invoke_handler(tauri::generate_handler![
            commands::snapshot,
            commands::log_lines,
            commands::ask,
            commands::find_servers,
            commands::stop_finding,
            commands::start_at_login,
            commands::notifications,
            commands::look_for_update,
            commands::install_update,
            commands::quit,
        ])
        .setup(move |app| Ok(start(app.handle(), args)?))
        .build(tauri::generate_context!())?;
    app.run(|app, event| {
        // The last window is not the end: the tray stays. An exit with a code is one that was asked for.
        if let RunEvent::ExitRequested { api, code: None, .. } = event {
            return api.prevent_exit();
        }
        // By then the engine has been asked, except where the session ended and nobody was.
        if let RunEvent::Exit = event {
            return app::end_at_once(app);
        }
        // Its icon in the Finder or in the Launchpad was clicked on once more.
        #[cfg(target_os = "macos")]
        if let RunEvent::Reopen { .. } = event {
            return window::open(app, Page::Status);
        }
        // Elsewhere links come as arguments.
        #[cfg(target_os = "macos")]
        if let RunEvent::Opened { urls } = event
            && let Some(link) = urls.into_iter().next()
        {
            return app::offer(app, link.into());
        }
        let _ = app;
    });
    Ok(())
}

fn start(app: &AppHandle, args: Args) -> tauri::Result<()> {
    // An icon in the menu bar, and none in the Dock.
    #[cfg(target_os = "macos")]
    app.set_activation_policy(tauri::ActivationPolicy::Accessory)?;
    tray::start(app, &Face::of(&shell(app).desk(), &chrono::Local))?;
    let path = match args.engine {
        Some(path) => path,
        None => env::current_exe()?.with_file_name(format!("offpeak-agent{}", env::consts::EXE_SUFFIX)),
    };
    let program = Program { path, arguments: vec!["run".to_owned(), "--link".to_owned()] };
    app::start_engine(app, program)?;
    match (args.link, args.open) {
        (Some(link), _) => app::offer(app, link),
        (None, Some(page)) => window::open(app, page),
        // Whoever starts it wants to see it, and what is asked once is asked there.
        (None, None) if !args.at_login && !args.update => window::open(app, Page::Status),
        (None, None) => {}
    }
    start_at_login_as_preset(app);
    bring_up_to_date(app, args.update);
    end_on_signals(app);
    Ok(())
}

/// Looks for a new version, and installs it where that was asked for.
fn bring_up_to_date(app: &AppHandle, install: bool) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if install {
            update::install(&app).await;
        } else {
            update::look(&app).await;
        }
    });
}

/// Where an administrator answered for the person, the first start makes it so for the next login.
fn start_at_login_as_preset(app: &AppHandle) {
    if shell(app).is_preset_to_start_at_login()
        && let Err(problem) = login::set(app, true)
    {
        eprintln!("offpeak-tray: {problem}");
    }
}

/// A second shell was started, and has ended.
fn another(app: &AppHandle, arguments: &[String]) {
    match Args::try_parse_from(arguments) {
        Ok(Args { at_login: true, .. }) => {}
        Ok(Args { update: true, .. }) => bring_up_to_date(app, true),
        Ok(Args { link: Some(link), .. }) => app::offer(app, link),
        Ok(Args { open, .. }) => window::open(app, open.unwrap_or(Page::Status)),
        Err(_) => app::grant(app, offpeak_shell::face::Wish::Open),
    }
}

/// Sessions end with SIGTERM: the engine hands back what it holds.
#[cfg(unix)]
fn end_on_signals(app: &AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
            return;
        };
        tokio::select! {
            _ = terminate.recv() => {},
            _ = interrupt.recv() => {},
        }
        app::quit(&app);
    });
}

#[cfg(not(unix))]
fn end_on_signals(_app: &AppHandle) {}
