//! CPU time of running processes, with that of their children that have ended.

use std::{fs, time::Duration};

use anyhow::{Context, Result, bail};

/// Linux reports to programs in hundredths of a second on every platform of ours (`USER_HZ`).
const TICKS_A_SECOND: f64 = 100.0;

/// CPU seconds used so far by these processes and by those of their descendants that were waited for.
pub fn seconds(process_ids: &[u32]) -> Result<f64> {
    process_ids.iter().map(|id| one(*id)).sum()
}

fn one(process_id: u32) -> Result<f64> {
    let path = format!("/proc/{process_id}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}; CPU time is measured on Linux only"))?;
    Ok(ticks(&text).with_context(|| format!("cannot make sense of {path}"))? as f64 / TICKS_A_SECOND)
}

/// Fields 14 to 17 of proc_pid_stat(5): own user and system time, and those of children.
fn ticks(stat: &str) -> Option<u64> {
    // The name in field 2 may hold spaces and parentheses.
    let after_name = stat.rsplit_once(')')?.1;
    let fields: Vec<u64> = after_name.split_whitespace().skip(11).take(4).map_while(|field| field.parse().ok()).collect();
    (fields.len() == 4).then(|| fields.iter().sum())
}

/// The same once nothing changes any more: until then a last ffmpeg may not have been waited for.
pub fn seconds_at_rest(process_ids: &[u32]) -> Result<f64> {
    let mut before = seconds(process_ids)?;
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(200));
        let now = seconds(process_ids)?;
        // One tick is what an idle program takes for its timers now and then.
        if now - before < 2.0 / TICKS_A_SECOND {
            return Ok(now);
        }
        before = now;
    }
    bail!("the system does not come to rest")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_process() {
        let stat = "42 (a b) c) S 1 42 42 0 -1 4194560 1 2 3 4 100 20 3 4000 20 0 9 0 12345";
        assert_eq!(ticks(stat), Some(4123));
        assert_eq!(ticks("42 (x"), None);
    }
}
