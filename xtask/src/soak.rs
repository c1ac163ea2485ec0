//! `make soak`: the same job again and again while programs are killed, for as long as wanted. Every job must complete, and
//! say the same about its pictures as the first.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{
    film, interrupt, paths, say,
    setup::{self, Purpose},
    shell,
    system::{Build, Programs, System},
};

const ENGINES: usize = 2;
/// Longer than a lease lives after its engine was killed, so that jobs get somewhere between two deaths.
const KILL_EVERY: Duration = Duration::from_secs(40);
/// Without a segment committed in this time, something hangs.
const STUCK_AFTER: Duration = Duration::from_secs(300);

#[derive(Debug, clap::Args)]
pub struct Soak {
    /// How long
    #[arg(long, env = "MINUTES", default_value = "30", value_parser = minutes)]
    minutes: u64,
}

fn minutes(text: &str) -> Result<u64, String> {
    match text {
        "" => Ok(30),
        _ => text.parse().map_err(|_| "expected a number of minutes".to_owned()),
    }
}

/// Who is killed next: each engine in turn, then the server.
#[derive(Debug, Clone, Copy)]
enum Victim {
    Engine(usize),
    Server,
}

impl Victim {
    fn nth(n: usize) -> Self {
        match n % (ENGINES + 1) {
            engine if engine < ENGINES => Self::Engine(engine),
            _ => Self::Server,
        }
    }
}

pub fn soak(wanted: &Soak) -> Result<()> {
    setup::run(Purpose::Run)?;
    let programs = Programs::build(Build::Dev)?;
    let film = film::one_minute()?;
    let folder = paths::scratch().join("soak");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let mut system = System::start(programs, &folder)?;
    for _ in 0..ENGINES {
        system.add_engine(1)?;
    }
    let said = shell::output(system.offpeak().arg("submit").arg(&film).arg("--json"))?;
    let first: Value = serde_json::from_str(&said).context("`offpeak submit --json` printed no JSON")?;
    let source = first["source"].clone();
    let until = Instant::now() + Duration::from_secs(wanted.minutes * 60);
    let (mut job, mut jobs, mut kills, mut pictures) = (first, 0_u32, 0_usize, None);
    loop {
        let id = job["id"].as_str().context("the job has no id")?.to_owned();
        let over = follow(&mut system, &id, &mut kills)?;
        if over["state"] != "completed" {
            bail!("{id} ended as {} after {kills} kills: {}", over["state"], over["error"]);
        }
        jobs += 1;
        let now = frames(&over);
        let before = pictures.get_or_insert_with(|| now.clone());
        if *before != now {
            bail!("{id} has other frames or segments than the first job: {now}, not {before}");
        }
        say::detail(format_args!("{id} completed; {jobs} jobs, {kills} kills so far"));
        system.api().delete(&format!("/v1/jobs/{id}"))?;
        if Instant::now() >= until {
            break;
        }
        job = system.api().post("/v1/jobs", &json!({ "source": { "upload": source }, "profile": "hls-h264" }))?;
    }
    system.stop();
    // After a failure it stays, with the logs, to be looked into.
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    println!("{jobs} jobs completed while programs were killed {kills} times");
    Ok(())
}

/// Waits for the job's end, killing somebody now and then.
fn follow(system: &mut System, id: &str, kills: &mut usize) -> Result<Value> {
    let (mut last_kill, mut last_progress, mut fraction) = (Instant::now(), Instant::now(), -1.0);
    loop {
        if interrupt::happened() {
            bail!("interrupted");
        }
        system.must_run()?;
        let job = system.api().get(&format!("/v1/jobs/{id}"))?;
        if matches!(job["state"].as_str(), Some("completed" | "failed" | "cancelled")) {
            return Ok(job);
        }
        let now = job["progress"]["fraction"].as_f64().unwrap_or(0.0);
        if now > fraction {
            (fraction, last_progress) = (now, Instant::now());
        }
        if last_progress.elapsed() > STUCK_AFTER {
            bail!("{id} stands still at {fraction:.3} for {} s: {job}", STUCK_AFTER.as_secs());
        }
        if last_kill.elapsed() > KILL_EVERY {
            kill_and_restart(system, Victim::nth(*kills))?;
            *kills += 1;
            last_kill = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn kill_and_restart(system: &mut System, victim: Victim) -> Result<()> {
    match victim {
        Victim::Engine(index) => {
            say::detail(format_args!("killing engine {}", index + 1));
            system.kill_engine(index);
            system.start_engine(index, 1)
        }
        Victim::Server => {
            say::detail("killing the server");
            system.kill_server();
            system.start_server()
        }
    }
}

/// What must be the same for every job: frames and segments of every rendition.
fn frames(job: &Value) -> Value {
    let renditions = job["progress"]["renditions"].as_array().cloned().unwrap_or_default();
    let of = |r: &Value| json!([r["id"], r["segments_done"], r["frames_done"]]);
    json!({ "total": job["progress"]["frames_total"], "renditions": renditions.iter().map(of).collect::<Vec<_>>() })
}
