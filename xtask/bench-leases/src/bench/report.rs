//! Figures for people: medians, quantiles, and lines of a table that can be pasted into a document.

use std::time::Duration;

/// The middle one; of an even number, the lower of the two.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// `share` of all take at most this, in milliseconds.
pub fn quantile_ms(latencies: &[Duration], share: f64) -> f64 {
    let mut sorted = latencies.to_vec();
    sorted.sort();
    let place = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(place).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
}

/// `p50 / p99` in milliseconds.
pub fn quantiles(latencies: &[Duration]) -> String {
    format!("{:.1} / {:.1}", quantile_ms(latencies, 0.5), quantile_ms(latencies, 0.99))
}

pub fn head(title: &str, columns: &[&str]) {
    println!("\n### {title}\n");
    row(&columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>());
    row(&vec!["---".to_owned(); columns.len()]);
}

pub fn row(cells: &[String]) {
    println!("| {} |", cells.join(" | "));
}

/// What a cycle of a raw cycle and three empty calls would reach, were it nothing but these, one after the other.
pub fn yardstick(parts: &[(f64, f64)]) -> f64 {
    1.0 / parts.iter().map(|(times, per_second)| times / per_second).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0]), 1.0);
        let latencies: Vec<Duration> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!((quantile_ms(&latencies, 0.5), quantile_ms(&latencies, 0.99)), (50.0, 99.0));
        assert_eq!(quantile_ms(&latencies[..1], 0.99), 100.0);
        assert_eq!(yardstick(&[(1.0, 1000.0), (3.0, 3000.0)]), 500.0);
    }
}
