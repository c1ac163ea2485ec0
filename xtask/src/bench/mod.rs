//! `make bench`: what the whole system costs against one plain ffmpeg command that makes the same ladder, and how fast bytes
//! get in. Runs alternate, so that a machine that slows down slows both.

mod cpu;
mod job;
mod plain;
mod upload;

use std::{fs, thread::available_parallelism};

use anyhow::{Context, Result, bail};

use crate::{
    film, interrupt, paths, say,
    setup::{self, Purpose},
    system::{Build, Programs, System},
};

/// Engines on this machine; each gets one core, and two spans are encoded at a time.
const ENGINES: usize = 2;
const PROFILE: &str = "hls-h264";

#[derive(Debug, clap::Args)]
pub struct Bench {
    /// Runs of each kind
    #[arg(long, env = "RUNS", default_value = "3", value_parser = at_least_one)]
    runs: usize,
    /// Size of the file for measuring uploads, in MiB
    #[arg(long, env = "UPLOAD_MIB", default_value = "1024", value_parser = at_least_one)]
    upload_mib: usize,
    /// Leave out one half
    #[arg(long, value_enum)]
    only: Option<Half>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Half {
    Encoding,
    Upload,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    // `make bench` without RUNS may pass an empty one.
    match text {
        "" => Ok(3),
        _ => text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "expected a number of at least 1".to_owned()),
    }
}

pub fn bench(wanted: &Bench) -> Result<()> {
    setup::run(Purpose::Run)?;
    let programs = Programs::build(Build::Release)?;
    let folder = paths::scratch().join("bench");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let mut system = System::start(programs, &folder)?;
    let mut tables = Vec::new();
    if wanted.only != Some(Half::Upload) {
        tables.push(encoding(&mut system, wanted.runs)?);
    }
    if wanted.only != Some(Half::Encoding) {
        tables.push(uploading(&mut system, wanted.runs, wanted.upload_mib)?);
    }
    system.stop();
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    println!("{}", tables.join("\n\n"));
    Ok(())
}

/// Wall and CPU time of one run.
#[derive(Debug, Clone, Copy)]
struct Cost {
    wall_seconds: f64,
    cpu_seconds: f64,
}

fn encoding(system: &mut System, runs: usize) -> Result<String> {
    let film = film::one_minute()?;
    let api = system.api();
    let ladder = plain::Ladder::of_profile(&api.get(&format!("/v1/profiles/{PROFILE}"))?)?;
    for _ in 0..ENGINES {
        system.add_engine(1)?;
    }
    job::wait_for_engines(system, ENGINES)?;
    let source = job::upload(system, &film)?;
    let (mut plain, mut whole, mut playable) = (Vec::new(), Vec::new(), Vec::new());
    for run in 1..=runs {
        if interrupt::happened() {
            bail!("interrupted");
        }
        say::step(format_args!("Run {run} of {runs}: one ffmpeg command"));
        plain.push(plain::run(&film, &ladder)?);
        say::detail(line(&plain[run - 1]));
        say::step(format_args!("Run {run} of {runs}: the system, {ENGINES} engines of one core"));
        let ran = job::run(system, &source, PROFILE)?;
        say::detail(line(&ran.cost));
        whole.push(ran.cost);
        playable.push(ran.playable_after_seconds);
    }
    let cores = available_parallelism().map_or(1, |cores| cores.get());
    let mut lines = vec![
        format!("One minute of 1080p25 through {PROFILE}, {cores} cores, medians of {runs} alternating runs"),
        format!("{:<44}{:>10}{:>10}", "", "wall s", "CPU s"),
    ];
    let (a, b) = (median_cost(&plain), median_cost(&whole));
    let row = |name: &str, cost: Cost| format!("{name:<44}{:>10.2}{:>10.2}", cost.wall_seconds, cost.cpu_seconds);
    lines.push(row("(a) one ffmpeg command, the same ladder", a));
    lines.push(row("(b) the system, job created to completed", b));
    let (wall, cpu) = (b.wall_seconds / a.wall_seconds, b.cpu_seconds / a.cpu_seconds);
    lines.push(format!("{:<44}{wall:>10.3}{cpu:>10.3}", "(b) / (a)"));
    lines.push(format!("{:<44}{:>10.2}", "job created to playable", median(playable)));
    Ok(lines.join("\n"))
}

fn uploading(system: &mut System, runs: usize, mib: usize) -> Result<String> {
    let file = upload::make_file(&system.logs().with_file_name("upload.bin"), mib)?;
    let sink = upload::Sink::start(&system.logs().with_file_name("plain-copy.bin"))?;
    let (mut plain, mut tus) = (Vec::new(), Vec::new());
    for run in 1..=runs {
        if interrupt::happened() {
            bail!("interrupted");
        }
        say::step(format_args!("Run {run} of {runs}: {mib} MiB by plain HTTP, then through the server"));
        plain.push(upload::plain(sink.address, &file)?);
        tus.push(upload::tus(&system.api(), &file)?);
        say::detail(format_args!("plain {:.2} s, server {:.2} s", plain[run - 1], tus[run - 1]));
    }
    let (a, b) = (median(plain), median(tus));
    let row = |name: &str, seconds: f64| format!("{name:<44}{seconds:>10.2}{:>10.0}", mib as f64 / seconds);
    Ok([
        format!("{mib} MiB over loopback into a file, medians of {runs} alternating runs"),
        format!("{:<44}{:>10}{:>10}", "", "s", "MiB/s"),
        row("(a) HTTP PUT into a file, synced", a),
        row("(b) tus through the server, hashed, synced", b),
        format!("{:<44}{:>10.3}", "(b) / (a)", b / a),
    ]
    .join("\n"))
}

fn line(cost: &Cost) -> String {
    format!("{:.2} s, {:.2} CPU s", cost.wall_seconds, cost.cpu_seconds)
}

fn median_cost(costs: &[Cost]) -> Cost {
    Cost {
        wall_seconds: median(costs.iter().map(|cost| cost.wall_seconds).collect()),
        cpu_seconds: median(costs.iter().map(|cost| cost.cpu_seconds).collect()),
    }
}

/// The middle value; of an even count, the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        for (values, wanted) in [(vec![3.0], 3.0), (vec![3.0, 1.0], 2.0), (vec![9.0, 1.0, 2.0], 2.0)] {
            assert_eq!(median(values), wanted);
        }
        assert!(median(Vec::new()).is_nan());
    }
}
