//! Speaks as an engine speaks, does no work, and obeys: for trying the shell's looks, and for its tests. Never packaged.
//!
//! `STAND_IN_STATE` is the state at the beginning (`encoding`, `user_active`, `broken` …, or `no_farm`); each order is appended
//! to the file `STAND_IN_ORDERS` as it came. It ends when its input ends, as the engine does; `deaf` does not. `no_network` has no
//! farm, and gets no answer when it is first told to join one; `revoked_there` has none any more. Its sentences are the engine's own.

use std::{
    env, fs,
    io::{self, BufRead, Write},
    time::{Duration, SystemTime},
};

use chrono::{DateTime, TimeDelta, Utc};
use offpeak_api::{agent::AgentState, policy::Policy};
use offpeak_link::{
    Answer, Contribution, Farm, FromEngine, Level, Limits, LogLine, Now, Order, PROTOCOL, Reading, Share, ToEngine, Why, Work,
    line, parse,
};

const NO_WORK: &str = "there is nothing to do";
const NOT_JOINED: &str = "this computer has not joined a farm yet";

fn main() -> io::Result<()> {
    let first = env::var("STAND_IN_STATE").unwrap_or_else(|_| "waiting".to_owned());
    if first == "dies" {
        eprintln!("the stand-in was told to die");
        std::process::exit(3);
    }
    let mut now = beginning(&first);
    let mut is_cut_off = first == "no_network";
    let protocol = if first == "other_protocol" { PROTOCOL + 1 } else { PROTOCOL };
    say(&FromEngine::Hello { protocol, version: env!("CARGO_PKG_VERSION").to_owned(), pid: std::process::id() })?;
    say(&FromEngine::Now(Box::new(now.clone())))?;
    say(&FromEngine::Contribution(contribution()))?;
    for (level, text) in LOG {
        say(&FromEngine::Log(LogLine { at: time(), level, text: text.to_owned() }))?;
    }
    for order in io::stdin().lock().lines() {
        let order = order?;
        if let Ok(file) = env::var("STAND_IN_ORDERS") {
            writeln!(fs::OpenOptions::new().create(true).append(true).open(file)?, "{order}")?;
        }
        let ToEngine { order, what } = parse(order.as_bytes())?;
        let quits = what == Order::Quit;
        let answer = match what {
            Order::Join { .. } if std::mem::take(&mut is_cut_off) => {
                let message = "Cannot join https://farm.lan/: the server cannot be reached: no route to host.".to_owned();
                Answer::Refused { code: "no_answer".to_owned(), message }
            }
            what => obey(&mut now, what),
        };
        say(&FromEngine::Answer { order, answer })?;
        say(&FromEngine::Now(Box::new(now.clone())))?;
        if quits {
            return Ok(());
        }
    }
    // One that hangs does not hear that its shell is gone.
    if first == "deaf" {
        loop {
            std::thread::park();
        }
    }
    Ok(())
}

fn say(event: &FromEngine) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(&line(event)?)?;
    out.flush()
}

fn time() -> DateTime<Utc> {
    SystemTime::now().into()
}

fn obey(now: &mut Now, order: Order) -> Answer {
    match order {
        Order::Snooze { seconds: 0 } | Order::Resume => turn(now, AgentState::Waiting, NO_WORK, None),
        Order::Snooze { seconds } => {
            let until = time() + TimeDelta::from_std(Duration::from_secs(seconds)).unwrap_or_default();
            turn(now, AgentState::Snoozed, "snoozed", Some(until));
        }
        Order::Pause => turn(now, AgentState::Paused, "paused until you resume", None),
        Order::SetLimits { limits } => now.limits = limits,
        Order::Join { link_or_code, server, .. } => {
            if !link_or_code.contains("ofe_") {
                let message = "https://farm.office.lan:7070/ does not take this code: This enrolment code is unknown, used up or too \
                               old. Ask whoever runs the farm for a new code.";
                return Answer::Refused { code: "code_refused".to_owned(), message: message.to_owned() };
            }
            now.farm = Some(farm());
            if let (Some(farm), Some(server)) = (&mut now.farm, server) {
                farm.server = server;
            }
            turn(now, AgentState::Waiting, NO_WORK, None);
        }
        Order::Leave => {
            now.farm = None;
            turn(now, AgentState::Waiting, NOT_JOINED, None);
        }
        Order::Why => return Answer::Why(why(now)),
        Order::PrepareUpdate => turn(now, AgentState::Updating, "an update is being installed", None),
        Order::Quit => turn(now, AgentState::Offline, "it was asked to end", None),
    }
    Answer::Done
}

fn turn(now: &mut Now, state: AgentState, reason: &str, until: Option<DateTime<Utc>>) {
    (now.state, now.reason, now.until, now.since) = (state, reason.to_owned(), until, time());
    if state != AgentState::Encoding {
        now.work.clear();
    }
}

fn farm() -> Farm {
    Farm {
        server: "https://farm.office.lan:7070/".parse().expect("an address"),
        agent_id: "agent_01JDJ3X9Q2T8M4V6N0B7C5K1RZ".parse().expect("an id"),
        agent_name: "edit-suite-14".to_owned(),
    }
}

fn beginning(state: &str) -> Now {
    let reasons = [
        ("encoding", "nobody is using this computer"),
        ("user_active", "someone is using this computer"),
        ("suspended", "someone was using this computer a moment ago"),
        ("leasing", "sending the last pieces"),
        ("presenting", "something is shown in full screen"),
        ("on_battery", "this computer runs on battery"),
        ("waiting", NO_WORK),
        (
            "broken",
            "/usr/bin/offpeak-ffmpeg is not the program that Offpeak brought: its SHA-256 is 8c4e…, and 3f2a… is expected; install \
             Offpeak again",
        ),
        ("no_server", "the server does not answer; asking again"),
        ("off_schedule", "it is not the time for it"),
        ("paused", "paused until you resume"),
        ("snoozed", "snoozed"),
    ];
    let farmless = matches!(state, "no_farm" | "no_network" | "revoked_there");
    let known = AgentState::parse(if state == "revoked_there" { "revoked" } else { state }).unwrap_or(AgentState::Waiting);
    let otherwise = if farmless { NOT_JOINED } else { NO_WORK };
    let reason = reasons.iter().find(|(name, _)| *name == state).map_or(otherwise, |(_, reason)| reason);
    let since = time() - TimeDelta::minutes(23);
    let work = |kind: &str, id: &str, rows_done, rows| Work {
        job_id: id.parse().expect("an id"),
        kind: kind.to_owned(),
        rows_done,
        rows,
        since: time() - TimeDelta::minutes(4),
    };
    let works = matches!(known, AgentState::Encoding | AgentState::Suspended);
    Now {
        state: known,
        reason: reason.to_owned(),
        code: (known == AgentState::Broken).then(|| "ffmpeg_altered".to_owned()),
        since,
        until: (known == AgentState::Snoozed).then(|| time() + TimeDelta::hours(1)),
        farm: (!farmless).then(farm),
        work: if works {
            vec![
                work("encode", "job_01JDJ3X9Q2T8M4V6N0B7C5K1RZ", 9, 15),
                work("audio", "job_01JDJ41M0A9W2E5H7G3F8S6TYB", 31, 120),
            ]
        } else {
            Vec::new()
        },
        limits: Limits { max_cores: Some(6), ..Limits::default() },
        policy: Policy {
            max_cores: Some(10),
            max_memory_mib: Some(16 << 10),
            max_bits_per_second: Some(200_000_000),
            schedule: vec![
                serde_json::from_value(serde_json::json!({
                    "days": ["mon", "tue", "wed", "thu", "fri"], "from": "18:00", "to": "08:00"
                }))
                .expect("hours"),
                serde_json::from_value(serde_json::json!({ "days": ["sat", "sun"], "from": "00:00", "to": "24:00" }))
                    .expect("hours"),
            ],
            mains_only: true,
            unmetered_only: false,
            ..Policy::default()
        },
        machine_cores: 12,
        machine_memory_mib: 32 << 10,
    }
}

fn contribution() -> Contribution {
    Contribution {
        today: Share { video_seconds: 2_532.0, cpu_seconds: 9_640.0, energy_wh: 21.4, leases: 38 },
        total: Share { video_seconds: 418_600.0, cpu_seconds: 1_702_000.0, energy_wh: 3_782.0, leases: 6_214 },
    }
}

fn why(now: &Now) -> Why {
    let reading =
        |name: &str, value: &str, how: &str| Reading { name: name.to_owned(), value: value.to_owned(), how: how.to_owned() };
    Why {
        state: now.state,
        reason: now.reason.clone(),
        rule: "Work begins after 5 min without input; the last input was 12 s ago.".to_owned(),
        readings: vec![
            reading("time since last input", "12 s", "X11 screen saver extension on :0"),
            reading("screen", "not locked", "logind over D-Bus"),
            reading("full screen or call", "no", "X11 window properties"),
            reading("power", "mains", "/sys/class/power_supply"),
            reading("other programs' CPU", "7 %", "/proc/stat"),
            reading("free memory", "19.2 GiB", "/proc/meminfo"),
            reading("network", "unmetered", "NetworkManager over D-Bus"),
            reading("temperature", "unknown", "no thermal zone tells"),
            reading("schedule", "open until 08:00", "the office's policy"),
        ],
    }
}

const LOG: [(Level, &str); 7] = [
    (Level::Info, "engine 0.1.0 starts; ffmpeg 9.0.2, 12 cores, 32 GiB"),
    (Level::Info, "every encoder was tried: x264 and svt-av1 work"),
    (Level::Info, "leased task_01JDJ3ZK4 (encode, pieces 45 to 60) of job_01JDJ3X9Q2T8M4V6N0B7C5K1RZ"),
    (Level::Warn, "a heartbeat took 6.2 s; the server or the network is slow"),
    (Level::Info, "committed pieces 45 to 48 in 4 renditions"),
    (Level::Info, "someone is using this computer: ffmpeg stands still"),
    (Level::Info, "nobody is using this computer: ffmpeg goes on"),
];
