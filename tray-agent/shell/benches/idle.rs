//! What the tray app and its engine cost while there is nothing to do: memory, processor time, and how often they wake up.
//! `make bench-tray` runs it with a real engine and a real server.
//!
//! A figure, not a test: it depends on the machine, and on what else runs there.
#![cfg_attr(target_os = "linux", expect(clippy::unwrap_used, reason = "a bench may fail loudly"))]

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("measured on Linux only");
}

#[cfg(target_os = "linux")]
fn main() {
    use std::{
        env,
        path::{Path, PathBuf},
        thread::sleep,
        time::Duration,
    };

    let desktop = offpeak_desktop::Desktop::start();
    let engine =
        env::var_os("OFFPEAK_ENGINE").map(PathBuf::from).expect("OFFPEAK_ENGINE names the engine; `make bench-tray` does");
    let shell = desktop.start_tray_at_login(Path::new(env!("CARGO_BIN_EXE_offpeak-tray")), &engine, &[]);
    let engine_pid = offpeak_desktop::wait_for("an engine", || shell.engine());
    // Encoders are tried at the start, and the first look at the desk takes some seconds.
    sleep(Duration::from_secs(30));
    let seconds = env::var("OFFPEAK_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let programs = [("tray app", shell.pid()), ("engine", engine_pid)];
    let before = programs.map(|(_, pid)| linux::usage(pid));
    sleep(Duration::from_secs(seconds));
    let after = programs.map(|(_, pid)| linux::usage(pid));
    println!("| idle for {seconds} s | PSS | processor | wake-ups a second |\n|---|---|---|---|");
    let mut total = 0.0;
    for (index, (name, pid)) in programs.into_iter().enumerate() {
        let pss = linux::pss_mib(pid);
        total += pss;
        let cpu = (after[index].cpu_seconds - before[index].cpu_seconds) / seconds as f64 * 100.0;
        let wakes = (after[index].switches - before[index].switches) as f64 / seconds as f64;
        println!("| {name} | {pss:.1} MiB | {cpu:.3} % of a core | {wakes:.2} |");
        for (thread, switches) in &after[index].threads {
            let earlier = before[index].threads.iter().find(|(name, _)| name == thread).map_or(0, |(_, switches)| *switches);
            if switches > &earlier {
                println!("| … {thread} | | | {:.2} |", (switches - earlier) as f64 / seconds as f64);
            }
        }
    }
    println!("| together | {total:.1} MiB | | |");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;

    pub struct Usage {
        pub cpu_seconds: f64,
        /// Times that a thread gave the processor back by itself: once for each time it was woken.
        pub switches: u64,
        pub threads: Vec<(String, u64)>,
    }

    pub fn usage(pid: u32) -> Usage {
        let mut threads: Vec<(String, u64)> = Vec::new();
        for task in fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten() {
            let Ok(status) = fs::read_to_string(task.path().join("status")) else { continue };
            let value = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
            let switches = value("voluntary_ctxt_switches:").and_then(|count| count.parse().ok()).unwrap_or(0);
            let name = value("Name:").unwrap_or_default();
            match threads.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += switches,
                None => threads.push((name, switches)),
            }
        }
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        // proc(5): user and system time are the fields 14 and 15, in hundredths of a second.
        let fields: Vec<u64> =
            stat.rsplit_once(')').unwrap().1.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
        let cpu_seconds = (fields[10] + fields[11]) as f64 / 100.0;
        Usage { cpu_seconds, switches: threads.iter().map(|(_, switches)| switches).sum(), threads }
    }

    pub fn pss_mib(pid: u32) -> f64 {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
        let kib = text.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
        kib.unwrap() / 1024.0
    }
}
