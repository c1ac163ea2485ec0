//! New versions: looked for when somebody asks and once a start, installed only when somebody says so. What comes must be
//! signed with the key of which the other half is in `tauri.conf.json`.

use offpeak_link::{Answer, Order};
use serde::Serialize;
use tauri::AppHandle;
use tauri_plugin_updater::UpdaterExt;

use crate::app::{self, lock, shell};

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
    Failed {
        why: String,
    },
}

fn set(app: &AppHandle, update: Update) {
    *lock(&shell(app).update) = update;
    app::show(app);
}

/// Whether this build was given a place to look at.
pub fn has_place(config: &tauri::Config) -> bool {
    let updater = config.plugins.0.get("updater");
    let endpoints = updater.and_then(|updater| updater.get("endpoints")).and_then(|endpoints| endpoints.as_array());
    endpoints.is_some_and(|endpoints| !endpoints.is_empty())
}

pub async fn look(app: &AppHandle) {
    if !has_place(app.config()) {
        return set(app, Update::Elsewhere);
    }
    set(app, Update::Looking);
    let found = match app.updater() {
        Ok(updater) => updater.check().await,
        Err(error) => Err(error),
    };
    set(
        app,
        match found {
            Ok(Some(update)) => Update::Available { version: update.version, notes: update.body.unwrap_or_default() },
            Ok(None) => Update::Newest,
            Err(error) => Update::Failed { why: error.to_string() },
        },
    );
}

/// The engine hands back what it holds first: its program is about to be replaced.
pub async fn install(app: &AppHandle) {
    set(app, Update::Installing);
    if let Err(why) = download_and_install(app).await {
        set(app, Update::Failed { why });
    }
}

async fn download_and_install(app: &AppHandle) -> Result<(), String> {
    let say = |error: tauri_plugin_updater::Error| error.to_string();
    let update = app.updater().map_err(say)?.check().await.map_err(say)?.ok_or("there is no newer version any more")?;
    // Its signature is checked before a byte of it is used.
    let bytes = update.download(|_, _| {}, || {}).await.map_err(say)?;
    let engine = shell(app).engine().cloned();
    if let Some(engine) = &engine {
        if let Answer::Refused { message, .. } = engine.order(Order::PrepareUpdate).await {
            return Err(message);
        }
        engine.stop().await;
    }
    update.install(bytes).map_err(say)?;
    app.restart()
}
