//! Joining as an administrator said: `preset.rs` has the rules, here they are followed.

use std::{sync::atomic::Ordering, time::Duration};

use offpeak_link::{Answer, Level, Order};
use tauri::AppHandle;

use crate::{
    app::{lock, log, notify, shell},
    engine::backoff::Backoff,
    notes::Note,
    preset,
    settings::Settings,
    words,
};

/// Where an administrator said which farm it is, nobody has to be asked.
pub fn heed_preset(app: &AppHandle) {
    if due_as_preset(app).is_some() && !shell(app).is_joining_as_preset.swap(true, Ordering::SeqCst) {
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            join_as_preset(&app).await;
            shell(&app).is_joining_as_preset.store(false, Ordering::SeqCst);
        });
    }
}

/// What the preset asks for as things are now; what follows from them for the preset is kept.
fn due_as_preset(app: &AppHandle) -> Option<Order> {
    let shell = shell(app);
    let now = lock(&shell.desk).running().cloned()?;
    let settings = shell.settings();
    let (kept, order) = preset::due(shell.preset.as_ref(), &settings, &now);
    if kept != settings {
        keep(app, |settings| (settings.preset_used, settings.taken_out) = (kept.preset_used, kept.taken_out));
    }
    order
}

/// Until it is done, or refused: a network that is not there yet is no reason to trouble anybody.
async fn join_as_preset(app: &AppHandle) {
    let mut backoff = Backoff::default();
    while let (Some(order), Some(engine)) = (due_as_preset(app), shell(app).engine()) {
        let refusal = match engine.order(order).await {
            Answer::Done | Answer::Why(_) => None,
            Answer::Refused { code, message } => Some((code, message)),
        };
        if let Some((code, message)) = &refusal
            && preset::may_go_well_later(code)
        {
            let pause = backoff.after_a_run_of(Duration::ZERO);
            log(app, Level::Info, format!("{message} The preset's farm is tried again in {} s.", pause.as_secs()));
            tokio::time::sleep(pause).await;
            continue;
        }
        let preset = shell(app).preset.clone();
        keep(app, |settings| preset::used(preset.as_ref(), settings));
        if let Some((code, message)) = refusal {
            log(app, Level::Warn, format!("{message} ({code})"));
            notify(app, &Note { title: words::NOTE_ATTENTION, body: message });
        }
        return;
    }
}

/// Changes the settings where nobody waits for an answer.
fn keep(app: &AppHandle, change: impl FnOnce(&mut Settings)) {
    if let Err(problem) = shell(app).change_settings(change) {
        log(app, Level::Warn, problem);
    }
}
