//! What the window may ask for.

use offpeak_link::{Answer, Limits, LogLine, Order};
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Emitter, State};
use url::Url;

use crate::{
    app::{self, Shell, Snapshot, lock},
    discover::Search,
    limits, login, update, window,
};

/// What the window wants of the engine; not all orders are a window's to give.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    Snooze { seconds: u64 },
    Pause,
    Resume,
    SetLimits { limits: Limits },
    Join { link_or_code: String, server: Option<String>, name: Option<String> },
    Leave,
    Why,
}

/// Why something could not be done, as a sentence.
#[derive(Debug, Serialize)]
pub struct Problem(String);

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Self(text)
    }
}

#[tauri::command]
pub fn snapshot(shell: State<'_, Shell>) -> Snapshot {
    shell.snapshot()
}

#[tauri::command]
pub fn log_lines(shell: State<'_, Shell>) -> Vec<LogLine> {
    shell.log()
}

#[tauri::command]
pub async fn ask(shell: State<'_, Shell>, request: Request) -> Result<Answer, Problem> {
    let order = order(&shell, request)?;
    let engine = shell.engine().ok_or_else(|| "The engine has not been started yet.".to_owned())?;
    let (joins, leaves) = (matches!(order, Order::Join { .. }), order == Order::Leave);
    let answer = engine.order(order).await;
    if (joins || leaves) && answer == Answer::Done {
        shell.change_settings(|settings| settings.taken_out = leaves)?;
    }
    Ok(answer)
}

fn order(shell: &Shell, request: Request) -> Result<Order, String> {
    let text = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    Ok(match request {
        Request::Snooze { seconds } => Order::Snooze { seconds },
        Request::Pause => Order::Pause,
        Request::Resume => Order::Resume,
        Request::SetLimits { limits } => {
            let now = shell.desk().now.ok_or("The engine has not said yet what the policy is; try again in a moment.")?;
            limits::check(&limits)?;
            let limits = limits::clamp(limits, &now.policy, now.machine_cores, now.machine_memory_mib);
            Order::SetLimits { limits }
        }
        Request::Join { link_or_code, server, name } => {
            Order::Join { link_or_code: link_or_code.trim().to_owned(), server: address(text(server))?, name: text(name) }
        }
        Request::Leave => Order::Leave,
        Request::Why => Order::Why,
    })
}

/// People leave the scheme out, and sometimes they may: a server on a port of its own is not guessed at.
fn address(text: Option<String>) -> Result<Option<Url>, String> {
    let Some(text) = text else { return Ok(None) };
    let with_scheme = if text.contains("://") { text.clone() } else { format!("https://{text}") };
    let address =
        Url::parse(&with_scheme).ok().filter(|address| matches!(address.scheme(), "http" | "https") && address.has_host());
    address.map(Some).ok_or_else(|| format!("“{text}” is not the address of a server. One looks like https://farm.example.com"))
}

#[tauri::command]
pub fn find_servers(app: AppHandle, shell: State<'_, Shell>) -> Result<(), Problem> {
    let mut search = lock(&shell.search);
    if search.is_none() {
        let tell = move |found| drop(app.emit_to(window::LABEL, "server", &found));
        *search = Some(Search::start(tell).map_err(|error| format!("This network cannot be searched: {error}"))?);
    }
    Ok(())
}

#[tauri::command]
pub fn stop_finding(shell: State<'_, Shell>) {
    *lock(&shell.search) = None;
}

#[tauri::command]
pub fn start_at_login(app: AppHandle, shell: State<'_, Shell>, wanted: bool) -> Result<(), Problem> {
    if let Err(problem) = login::set(&app, wanted) {
        // The switch goes back to what holds.
        app::show(&app);
        return Err(problem.into());
    }
    shell.change_settings(|settings| settings.start_at_login = Some(wanted))?;
    app::show(&app);
    Ok(())
}

#[tauri::command]
pub fn notifications(app: AppHandle, shell: State<'_, Shell>, wanted: bool) -> Result<(), Problem> {
    shell.change_settings(|settings| settings.notifications = wanted)?;
    app::show(&app);
    Ok(())
}

/// For desktops whose panel shows no icon: there the menu cannot be had.
#[tauri::command]
pub fn quit(app: AppHandle) {
    app::quit(&app);
}

#[tauri::command]
pub async fn look_for_update(app: AppHandle) {
    update::look(&app).await;
}

#[tauri::command]
pub async fn install_update(app: AppHandle) {
    update::install(&app).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        for (text, expected) in [
            (Some("farm.example.com"), Ok(Some("https://farm.example.com/"))),
            (Some("farm.lan:7070"), Ok(Some("https://farm.lan:7070/"))),
            (Some("http://192.168.1.5:7070"), Ok(Some("http://192.168.1.5:7070/"))),
            (None, Ok(None)),
            (Some("ftp://farm"), Err(())),
            (Some("no address"), Err(())),
        ] {
            let found = address(text.map(str::to_owned));
            let found = found.as_ref().map(|address| address.as_ref().map(Url::as_str)).map_err(|_| ());
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
