//! New versions: looked for when somebody asks and once a start, installed only when somebody says so. What comes must be
//! signed with the key of which the other half is in `tauri.conf.json`. What must hold: the engine has handed back all that it
//! held before its program is replaced, and works again when nothing was replaced.

use offpeak_link::{Answer, Level, Order};
use serde::Serialize;
use tauri::AppHandle;
use tauri_plugin_updater::{Error, Updater, UpdaterExt};
use url::Url;

use crate::{
    app::{self, lock, shell},
    engine::NOT_RUNNING,
    notes::Note,
    words,
};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Update {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// This build has no place to look at: the system's packages or an administrator bring new versions.
    Elsewhere,
    Looking,
    Newest,
    Available {
        version: String,
        notes: String,
    },
    Installing,
    /// It could not be found out whether there is one.
    Failed {
        why: String,
    },
    /// There is one, and everything is as it was.
    NotInstalled {
        why: String,
    },
}

fn set(app: &AppHandle, update: Update) {
    {
        let shell = shell(app);
        let mut desk = lock(&shell.desk);
        (desk.updating, desk.newer) = match &update {
            Update::Installing => (true, None),
            Update::Available { version, .. } => (false, Some(version.clone())),
            Update::Unknown
            | Update::Elsewhere
            | Update::Looking
            | Update::Newest
            | Update::Failed { .. }
            | Update::NotInstalled { .. } => (false, None),
        };
        *lock(&shell.update) = update;
    }
    app::show(app);
}

/// Whether this build was given a place to look at.
fn has_place(app: &AppHandle) -> bool {
    let updater = app.config().plugins.0.get("updater");
    let endpoints = updater.and_then(|updater| updater.get("endpoints")).and_then(|endpoints| endpoints.as_array());
    tried().is_some() || endpoints.is_some_and(|endpoints| !endpoints.is_empty())
}

/// Another place and key, so that updates can be tried without a release. Builds for people have theirs built in.
fn tried() -> Option<(Url, String)> {
    if !cfg!(debug_assertions) {
        return None;
    }
    let place = std::env::var("OFFPEAK_TRY_UPDATES_FROM").ok()?.parse().ok()?;
    Some((place, std::env::var("OFFPEAK_TRY_UPDATES_KEY").ok()?))
}

fn updater(app: &AppHandle) -> Result<Updater, Error> {
    match tried() {
        Some((place, key)) => app.updater_builder().endpoints(vec![place])?.pubkey(key).build(),
        None => app.updater(),
    }
}

/// Why, as the rest of a sentence.
fn in_words(error: Error) -> String {
    match error {
        Error::Minisign(_) | Error::Base64(_) | Error::SignatureUtf8(_) => {
            "it is not signed with the key that this app knows; ask whoever looks after this computer".to_owned()
        }
        Error::ReleaseNotFound => "the place where new versions are listed has no list".to_owned(),
        Error::TargetNotFound(_) | Error::TargetsNotFound(_) => "there is none for this kind of computer".to_owned(),
        // The updater's own words; more kinds may come with its versions.
        other => other.to_string(),
    }
}

pub async fn look(app: &AppHandle) {
    if !has_place(app) {
        return set(app, Update::Elsewhere);
    }
    set(app, Update::Looking);
    let found = match updater(app) {
        Ok(updater) => updater.check().await,
        Err(error) => Err(error),
    };
    set(
        app,
        match found {
            Ok(Some(update)) => Update::Available { version: update.version, notes: update.body.unwrap_or_default() },
            Ok(None) => Update::Newest,
            Err(error) => Update::Failed { why: in_words(error) },
        },
    );
}

/// Does not return when it succeeds: the new version starts instead.
pub async fn install(app: &AppHandle) {
    if !has_place(app) {
        return set(app, Update::Elsewhere);
    }
    set(app, Update::Installing);
    let Err(why) = download_and_install(app).await else { return set(app, Update::Newest) };
    let body = format!("{}: {why}.", words::NOTE_NOT_UPDATED);
    eprintln!("offpeak-tray: {body}");
    app::log(app, Level::Error, body.clone());
    app::notify(app, &Note { title: words::NOTE_ATTENTION, body });
    set(app, Update::NotInstalled { why });
}

/// Ends well only when there is nothing newer.
async fn download_and_install(app: &AppHandle) -> Result<(), String> {
    let Some(update) = updater(app).map_err(in_words)?.check().await.map_err(in_words)? else { return Ok(()) };
    // Its signature is checked before a byte of it is used.
    let bytes = update.download(|_, _| {}, || {}).await.map_err(in_words)?;
    if let Some(engine) = shell(app).engine() {
        match engine.order(Order::PrepareUpdate).await {
            Answer::Done | Answer::Why(_) => {}
            // One that does not run holds nothing, and may be what the new version mends.
            Answer::Refused { code, .. } if code == NOT_RUNNING => {}
            Answer::Refused { message, .. } => return Err(message),
        }
        // Its program is about to be replaced.
        engine.stop().await;
    }
    // The system may ask for a password meanwhile.
    let installed = tauri::async_runtime::spawn_blocking(move || update.install(bytes)).await;
    match installed.map_err(|crash| crash.to_string()).and_then(|installed| installed.map_err(in_words)) {
        Ok(()) => app.restart(),
        Err(why) => {
            app::start_engine_again(app).map_err(|error| format!("{why}; nor does the engine start again: {error}"))?;
            Err(why)
        }
    }
}
