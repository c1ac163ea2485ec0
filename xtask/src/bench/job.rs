//! One job through a running system, timed by the server's own stamps.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Cost, cpu};
use crate::{interrupt, shell, system::System};

/// Rarely enough to cost the system nothing; times come from the job itself.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Proving encoders takes a second or two.
const ENGINES_WITHIN: Duration = Duration::from_secs(60);

pub struct Ran {
    pub cost: Cost,
    pub playable_after_seconds: f64,
}

/// Waits until engines have proved their encoders and ask for work.
pub fn wait_for_engines(system: &mut System, count: usize) -> Result<()> {
    let since = Instant::now();
    loop {
        let agents = system.api().get("/v1/agents")?;
        let ready =
            agents["agents"].as_array().map_or(0, |agents| agents.iter().filter(|a| !a["capabilities"].is_null()).count());
        if ready >= count {
            return Ok(());
        }
        if since.elapsed() > ENGINES_WITHIN {
            bail!("only {ready} of {count} engines asked for work within {} s", ENGINES_WITHIN.as_secs());
        }
        pause(system)?;
    }
}

/// Uploads the film and returns its source's id; the job that comes with it is cancelled.
pub fn upload(system: &mut System, film: &Path) -> Result<String> {
    let said = shell::output(system.offpeak().arg("submit").arg(film).args(["--profile", super::PROFILE, "--json"]))?;
    let job: Value = serde_json::from_str(&said).context("`offpeak submit --json` printed no JSON")?;
    let id = text(&job, "id")?;
    system.api().post(&format!("/v1/jobs/{id}/cancel"), &json!({}))?;
    wait_until_over(system, &id)?;
    cpu::seconds_at_rest(&system.process_ids())?;
    text(&job, "source")
}

pub fn run(system: &mut System, source: &str, profile: &str) -> Result<Ran> {
    let processes = system.process_ids();
    let before = cpu::seconds_at_rest(&processes)?;
    let job = system.api().post("/v1/jobs", &json!({ "source": { "upload": source }, "profile": profile }))?;
    let id = text(&job, "id")?;
    let job = wait_until_over(system, &id)?;
    let cpu_seconds = cpu::seconds_at_rest(&processes)? - before;
    if job["state"] != "completed" {
        bail!("{id} ended as {}: {}", job["state"], job["error"]);
    }
    let created = stamp(&job, "created_at")?;
    let since_created = |name: &str| Ok::<_, anyhow::Error>((stamp(&job, name)? - created).as_seconds_f64());
    let (wall_seconds, playable_after_seconds) = (since_created("ended_at")?, since_created("playable_at")?);
    // Gigabytes of results would fill the disk, and its cache, run by run.
    system.api().delete(&format!("/v1/jobs/{id}"))?;
    Ok(Ran { cost: Cost { wall_seconds, cpu_seconds }, playable_after_seconds })
}

pub fn wait_until_over(system: &mut System, id: &str) -> Result<Value> {
    loop {
        let job = system.api().get(&format!("/v1/jobs/{id}"))?;
        if matches!(job["state"].as_str(), Some("completed" | "failed" | "cancelled")) {
            return Ok(job);
        }
        pause(system)?;
    }
}

fn pause(system: &mut System) -> Result<()> {
    if interrupt::happened() {
        bail!("interrupted");
    }
    system.must_run()?;
    std::thread::sleep(LOOK_EVERY);
    Ok(())
}

fn text(value: &Value, name: &str) -> Result<String> {
    value[name].as_str().map(str::to_owned).with_context(|| format!("the job has no {name}"))
}

fn stamp(job: &Value, name: &str) -> Result<DateTime<Utc>> {
    let text = text(job, name)?;
    text.parse().with_context(|| format!("{name} is no time: {text}"))
}
