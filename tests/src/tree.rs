//! What a process and all below it do, as the kernel tells (proc(5)).

use std::{fs, path::Path};

/// Every process below `root`.
pub fn below(root: u32) -> Vec<u32> {
    let mut all = Vec::new();
    let mut ahead = children(root);
    while let Some(process) = ahead.pop() {
        ahead.extend(children(process));
        all.push(process);
    }
    all.sort_unstable();
    all
}

fn children(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}

/// Ticks of processor time that these have used, in user and kernel.
pub fn ticks(processes: &[u32]) -> u64 {
    processes.iter().filter_map(|process| fields(&format!("/proc/{process}/stat"))).map(|(_, ticks)| ticks).sum()
}

/// Whether every thread of all of these is stopped. One that has ended uses no processor either.
pub fn all_stopped(processes: &[u32]) -> bool {
    states(processes).into_iter().all(|state| matches!(state, 'T' | 'Z' | 'X'))
}

/// Whether these stand still, and are not merely at their end: some thread is stopped, and no other one does anything.
pub fn stands_still(processes: &[u32]) -> bool {
    let states = states(processes);
    states.contains(&'T') && states.into_iter().all(|state| matches!(state, 'T' | 'Z' | 'X'))
}

/// Of every thread.
fn states(processes: &[u32]) -> Vec<char> {
    let threads =
        processes.iter().flat_map(|process| fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten());
    threads.filter_map(|thread| fields(&thread.path().join("stat").to_string_lossy())).map(|(state, _)| state).collect()
}

/// State, and user and kernel time: the 3rd, 14th and 15th field.
fn fields(stat: &str) -> Option<(char, u64)> {
    let text = fs::read_to_string(stat).ok()?;
    let rest = text.rsplit_once(')')?.1;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let ticks = fields.skip(10).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Some((state, ticks))
}

/// Waits until each of these has ended, or is about to: it has been sent SIGKILL, and runs no more.
pub async fn wait_until_doomed(processes: &[u32], limit: std::time::Duration) {
    let until = std::time::Instant::now() + limit;
    while !processes.iter().all(|process| is_doomed(*process)) {
        assert!(std::time::Instant::now() < until, "these go on after {limit:?}: {processes:?}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// With all its threads: what has been sent SIGKILL may still have a long way to its end where others keep the processor busy,
/// but runs nothing of its own program any more.
pub fn is_doomed(process: u32) -> bool {
    let mut threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    threads.all(|thread| is_thread_doomed(&thread.path()))
}

fn is_thread_doomed(thread: &Path) -> bool {
    /// SIGKILL, in a mask of signals.
    const KILL: u64 = 1 << 8;
    /// `PF_EXITING` of the kernel's sched.h, in the 9th field of proc(5)'s stat: by then the signal is not pending any more.
    const EXITING: u64 = 4;
    let Ok(status) = fs::read_to_string(thread.join("status")) else { return true };
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or_default();
    let pending = |name: &str| u64::from_str_radix(field(name), 16).is_ok_and(|mask| mask & KILL != 0);
    if field("State:").starts_with(['Z', 'X']) || pending("SigPnd:") || pending("ShdPnd:") {
        return true;
    }
    let Ok(stat) = fs::read_to_string(thread.join("stat")) else { return true };
    let flags = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(6)?.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & EXITING != 0)
}
