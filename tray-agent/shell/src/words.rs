//! Every word that the tray says, in English. Those of the window are in `tray-agent/ui/src/strings.ts`.

use offpeak_api::agent::AgentState;

pub const PRODUCT: &str = "Offpeak";

pub const NOTHING_IN_HAND: &str = "No work at the moment";

/// Behind the progress of the first of several pieces.
pub fn and_more(others: usize) -> String {
    format!("and {others} more")
}

pub const SNOOZE: &str = "Snooze for";
pub const END_SNOOZE: &str = "End the snooze";
pub const PAUSE: &str = "Pause";
pub const RESUME: &str = "Resume";
pub const JOIN: &str = "Join a farm…";
/// An item of the menu: it opens the page that says more.
pub fn update_to(version: &str) -> String {
    format!("Update to {version}…")
}

pub const OPEN: &str = "Open Offpeak";
pub const ABOUT: &str = "About Offpeak";
pub const QUIT: &str = "Quit";

pub const NOT_JOINED: &str = "Not part of a farm yet";
pub const ENGINE_STARTS: &str = "Starting";
pub const ENGINE_GONE: &str = "The engine has stopped";
pub const UPDATING: &str = "Updating";
pub const ENDING: &str = "Ending";

pub const NOTE_ENGINE_GONE: &str = "Offpeak's engine stopped and is being started again";
pub const NOTE_ATTENTION: &str = "Offpeak needs attention";
pub const NOTE_NOT_UPDATED: &str = "The new version was not installed";
pub const NOTE_IN_A_FARM: &str = "This computer is in a farm already";
pub const NOTE_IN_A_FARM_BODY: &str = "To join another one, leave this one first, under Settings.";
pub const NOTE_HIDDEN: &str = "Offpeak stays in the tray";
pub const NOTE_HIDDEN_BODY: &str = "It helps the farm while nobody uses this computer. Its icon has snooze, pause and quit.";

/// What the state is called before its reason: "Waiting: someone is using this computer".
pub fn state(state: AgentState) -> &'static str {
    match state {
        AgentState::Broken => "Needs attention",
        AgentState::Revoked => "Removed from the farm",
        AgentState::SetAside => "Set aside",
        AgentState::Updating => UPDATING,
        AgentState::Paused => "Paused",
        AgentState::Snoozed => "Snoozed",
        // Either nothing more comes, or what there was is on its way back.
        AgentState::Draining | AgentState::Leasing => "Finishing",
        AgentState::OffSchedule
        | AgentState::Presenting
        | AgentState::UserActive
        | AgentState::OnBattery
        | AgentState::Metered
        | AgentState::BusyCpu
        | AgentState::BusyMemory
        | AgentState::Waiting => "Waiting",
        AgentState::NoServer => "No connection",
        AgentState::Suspended => "Standing still",
        AgentState::Encoding => "Encoding",
        AgentState::Offline => "Stopped",
    }
}

/// What a kind of work is called.
pub fn work(kind: &str) -> &str {
    match kind {
        "encode" => "Encoding video",
        "audio" => "Encoding sound",
        "probe" => "Looking at a video",
        "fetch" => "Fetching a video",
        "file" => "Writing a file",
        // A newer engine may know more kinds than its shell.
        other => other,
    }
}

pub fn hours(hours: u64) -> String {
    if hours == 1 { "1 hour".to_owned() } else { format!("{hours} hours") }
}

pub fn until(time: &str) -> String {
    format!("until {time}")
}

pub fn restarts_in(seconds: u64) -> String {
    match seconds {
        0..60 => format!("it is started again in {seconds} s"),
        _ => format!("it is started again in {} min", seconds.div_ceil(60)),
    }
}
