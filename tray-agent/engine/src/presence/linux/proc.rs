//! `/proc`: processor, memory, sound.

use std::{fs, path::Path};

use crate::presence::{Known, load::Used};

/// Processor time of the machine and of this process with all below it, in ticks.
pub fn used() -> Option<Used> {
    let (busy, total) = machine(&fs::read_to_string("/proc/stat").ok()?)?;
    Some(Used { busy, own: tree(std::process::id())?, total })
}

/// proc(5): user, nice, system, idle, iowait, irq, softirq, steal. What the host took is nobody's here.
fn machine(stat: &str) -> Option<(f64, f64)> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks: Vec<f64> = fields.take(8).map_while(|field| field.parse().ok()).collect();
    let [user, nice, system, idle, iowait, irq, softirq, steal] = <[f64; 8]>::try_from(ticks).ok()?;
    let busy = user + nice + system + irq + softirq;
    Some((busy, busy + idle + iowait + steal))
}

/// A process, what it has waited for, and all below it.
fn tree(root: u32) -> Option<f64> {
    let mut sum = own(root)?;
    let mut ahead = children(root);
    while let Some(process) = ahead.pop() {
        // It may have ended since: then its time has gone to whoever waited for it.
        sum += own(process).unwrap_or(0.0);
        ahead.extend(children(process));
    }
    Some(sum)
}

/// utime, stime, cutime and cstime: the 14th to 17th field, counted from behind the name, which may contain anything.
fn own(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
    fields.map(|field| field.parse::<f64>().ok()).sum()
}

fn children(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}

/// What could be used without swapping: of the machine, or of the control group if that has less.
pub fn free_memory() -> Known<u64> {
    let how = "/proc/meminfo";
    let meminfo = fs::read_to_string(how).unwrap_or_default();
    let Some(available) = kib(&meminfo, "MemAvailable:") else { return Known::unknown(format!("{how} does not tell")) };
    match group_free_bytes(Path::new("/sys/fs/cgroup")) {
        Some(bytes) if bytes >> 20 < available >> 10 => Known::new(bytes >> 20, "limit of the control group"),
        Some(_) | None => Known::new(available >> 10, how),
    }
}

fn kib(meminfo: &str, name: &str) -> Option<u64> {
    meminfo.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// Files that are merely cached can be dropped.
fn group_free_bytes(group: &Path) -> Option<u64> {
    let number = |name: &str| fs::read_to_string(group.join(name)).ok()?.trim().parse::<u64>().ok();
    let (most, now) = (number("memory.max")?, number("memory.current")?);
    let stat = fs::read_to_string(group.join("memory.stat")).ok()?;
    let cached = stat.lines().find_map(|line| line.strip_prefix("inactive_file "))?.trim().parse::<u64>().ok()?;
    Some(most.saturating_sub(now.saturating_sub(cached)))
}

/// ALSA knows which capture streams run, whatever sound server is in between: those suspend what nobody records from.
/// A Bluetooth headset is no ALSA device.
pub fn microphone(asound: &Path) -> Known<bool> {
    let Ok(cards) = fs::read_dir(asound) else { return Known::new(false, "there is no sound card") };
    let is = |entry: &fs::DirEntry, prefix: &str, suffix: &str| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with(prefix) && name.ends_with(suffix)
    };
    let below = |path: std::path::PathBuf| fs::read_dir(path).into_iter().flatten().flatten();
    let captures = cards.flatten().filter(|entry| is(entry, "card", "")).flat_map(|card| below(card.path()));
    let streams = captures.filter(|entry| is(entry, "pcm", "c")).flat_map(|pcm| below(pcm.path()));
    let mut states = streams.filter_map(|stream| fs::read_to_string(stream.path().join("status")).ok());
    Known::new(states.any(|status| status.contains("state: RUNNING")), "ALSA's capture streams")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_machines_time_is_read() {
        let stat = "cpu  100 20 30 1000 50 4 6 90 7 8\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        assert_eq!(machine(stat), Some((160.0, 1300.0)));
        assert_eq!(machine("cpu  1 2 3\n"), None);
        let used = used().unwrap();
        assert!(used.total > used.busy && used.busy > 0.0);
    }

    #[test]
    fn children_count_while_they_run_and_when_they_are_gone() {
        let spin = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        let before = tree(std::process::id()).unwrap();
        let mut child =
            Command::new("sh").args(["-c", &format!("sh -c '{spin}' & wait; sleep 60")]).stdin(Stdio::null()).spawn().unwrap();
        let grown = |least: f64| {
            let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
            while tree(std::process::id()).unwrap() < before + least {
                assert!(std::time::Instant::now() < until, "the child's time is not seen");
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        };
        grown(10.0);
        child.kill().unwrap();
        child.wait().unwrap();
        grown(10.0);
    }

    #[test]
    fn memory_of_a_group_is_its_limit_less_what_is_no_cache() {
        let group = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(group.path().join(name), text).unwrap();
        assert_eq!(group_free_bytes(group.path()), None);
        write("memory.max", "max\n");
        write("memory.current", "700\n");
        write("memory.stat", "anon 500\ninactive_file 200\n");
        assert_eq!(group_free_bytes(group.path()), None);
        write("memory.max", "1000\n");
        assert_eq!(group_free_bytes(group.path()), Some(500));
        assert!(free_memory().value.unwrap() > 10);
    }

    #[test]
    fn a_running_capture_stream_is_a_call() {
        let asound = tempfile::tempdir().unwrap();
        assert_eq!(microphone(&asound.path().join("none")).value, Some(false));
        let stream = |pcm: &str, status: &str| {
            let folder = asound.path().join("card0").join(pcm).join("sub0");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("status"), status).unwrap();
        };
        stream("pcm0p", "state: RUNNING\n");
        stream("pcm0c", "closed\n");
        assert_eq!(microphone(asound.path()).value, Some(false));
        stream("pcm0c", "state: RUNNING\nowner_pid   : 1234\n");
        assert_eq!(microphone(asound.path()).value, Some(true));
    }
}
