//! The table: a column for each size of fleet.

use crate::{
    events::{HOUR, Ms},
    figures::{Cause, Figures, quantile},
    world::FAIRNESS_OVER,
};

pub fn table(columns: &[(u32, Figures)]) -> String {
    let mut lines = Lines { columns, text: String::new() };
    lines.head("machines", |agents| agents.to_string());
    lines.add("jobs", |f| f.arrived.to_string());
    lines.add("completed, %", |f| format!("{:.3}", 100.0 * f.completion()));
    lines.add("  failed, unfinished", |f| format!("{}, {}", f.failed, f.unfinished));
    for (name, of) in [("playable", (|f| &f.to_playable) as fn(&Figures) -> &Vec<Ms>), ("complete", |f| &f.to_complete)] {
        for (percent, share) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
            lines.add(&format!("to {name}, {percent}"), |f| time(quantile(of(f), share)));
        }
    }
    lines.add("promised ends", |f| f.promises.len().to_string());
    for (name, share) in [("p10", 0.1), ("median", 0.5), ("p90", 0.9)] {
        lines.add(&format!("  took over p50, {name}"), |f| f.of_promised(share).map_or("-".to_owned(), |of| format!("{of:.2}")));
    }
    lines.add("  complete within p90, %", |f| format!("{:.1}", 100.0 * f.within_p90()));
    lines.add("  p90 over p50, median", |f| f.p90_over_p50().map_or("-".to_owned(), |ratio| format!("{ratio:.2}")));
    lines.add("wasted work over used, %", |f| format!("{:.2}", 100.0 * f.waste_share()));
    lines.add("  whole segments only, %", |f| format!("{:.2}", 100.0 * f.whole_rows_wasted()));
    for cause in Cause::ALL {
        lines.add(&format!("  {}, %", cause.name()), |f| format!("{:.2}", 100.0 * f.wasted_by(cause)));
    }
    for (n, over) in FAIRNESS_OVER.into_iter().enumerate() {
        let index = |f: &Figures| f.fairness[n].map_or("no queue".to_owned(), |index| format!("{index:.4}"));
        lines.add(&format!("fairness (Jain), {:.1} h", over as f64 / HOUR as f64), index);
        lines.add("  over hours with queues", |f| format!("{:.1}", f.shared_hours[n]));
    }
    lines.add("work over capacity", |f| format!("{:.2}", f.load()));
    lines.add("leases/s", |f| format!("{:.3}", f.per_second(f.leases())));
    lines.add("  in the busiest minute", |f| format!("{:.2}", f.most_leases_in_a_minute as f64 / 60.0));
    lines.add("  steals/s", |f| format!("{:.3}", f.per_second(f.steals)));
    lines.add("  backups/s", |f| format!("{:.4}", f.per_second(f.backups)));
    lines.add("commits/s", |f| format!("{:.2}", f.per_second(f.commits)));
    lines.add("heartbeats/s", |f| format!("{:.2}", f.per_second(f.heartbeats)));
    lines.add("released, expired leases", |f| format!("{}, {}", f.releases, f.expiries));
    lines.add("failures, set aside", |f| format!("{}, {}", f.failures, f.set_aside));
    lines.text
}

struct Lines<'a> {
    columns: &'a [(u32, Figures)],
    text: String,
}

impl Lines<'_> {
    fn head(&mut self, name: &str, value: impl Fn(u32) -> String) {
        self.line(name, self.columns.iter().map(|(agents, _)| value(*agents)));
    }

    fn add(&mut self, name: &str, value: impl Fn(&Figures) -> String) {
        self.line(name, self.columns.iter().map(|(_, figures)| value(figures)));
    }

    fn line(&mut self, name: &str, values: impl Iterator<Item = String>) {
        let values: String = values.map(|value| format!("{value:>14}")).collect();
        self.text.push_str(&format!("{name:<27}{values}\n"));
    }
}

/// `3.2 s`, `4 min 05 s`, `2 h 10 min`.
fn time(ms: Ms) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..60 => format!("{:.1} s", ms as f64 / 1000.0),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_for_people() {
        assert_eq!(
            [950, 59_950, 60_000, 245_000, 7_830_000].map(time),
            ["0.9 s", "60.0 s", "1 min 00 s", "4 min 05 s", "2 h 10 min"]
        );
    }
}
