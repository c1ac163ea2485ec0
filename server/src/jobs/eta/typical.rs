//! What jobs of a profile usually are, for those of which nothing is known yet.

use super::store::Completed;

/// A spread that was seen on fewer jobs says too little.
const FEWEST_FOR_A_SPREAD: usize = 5;
const UNKNOWN_SPREAD: f64 = 2.5;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Typical {
    work: Spread,
    work_per_byte: Option<Spread>,
    /// Of one row.
    pub row_work: f64,
    files_seconds_per_work: Option<Spread>,
}

/// The middle of many values, and by what factor nine of ten stay below.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    usual: f64,
    factor: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.filter(|value| value.is_finite() && *value > 0.0).collect();
        values.sort_unstable_by(f64::total_cmp);
        let usual = *values.get(values.len() / 2)?;
        let factor = match values.len() {
            0..FEWEST_FOR_A_SPREAD => UNKNOWN_SPREAD,
            many => (values[many * 9 / 10] / usual).max(1.0),
        };
        Some(Self { usual, factor })
    }
}

impl Typical {
    pub fn of(jobs: &[Completed]) -> Option<Self> {
        let work = |job: &Completed| job.estimated_work.filter(|work| *work > 0.0);
        let row_work = Spread::of(jobs.iter().filter_map(|job| Some(work(job)? / f64::from(job.rows?))))?;
        let per_byte = |job: &Completed| Some(work(job)? / job.source_bytes? as f64);
        let files = |job: &Completed| Some(job.files_ms? as f64 / 1000.0 / work(job)?);
        Some(Self {
            work: Spread::of(jobs.iter().filter_map(work))?,
            work_per_byte: Spread::of(jobs.iter().filter_map(per_byte)),
            row_work: row_work.usual,
            files_seconds_per_work: Spread::of(jobs.iter().filter_map(files)),
        })
    }

    /// The work of a job whose source has so many bytes, and how many times as much it is in the worst tenth.
    pub fn work(&self, bytes: Option<u64>) -> (f64, f64) {
        match bytes.zip(self.work_per_byte) {
            Some((bytes, spread)) => (spread.usual * bytes as f64, spread.factor),
            None => (self.work.usual, self.work.factor),
        }
    }

    /// Seconds of making files after so much work, and of the worst tenth.
    pub fn files(&self, work: f64) -> Option<(f64, f64)> {
        self.files_seconds_per_work.map(|spread| (spread.usual * work, spread.usual * spread.factor * work))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(work: f64, bytes: i64) -> Completed {
        Completed { estimated_work: Some(work), source_bytes: Some(bytes), rows: Some(10), files_ms: None }
    }

    #[test]
    fn a_job_is_like_those_before_it() {
        assert_eq!(Typical::of(&[]), None);
        let nothing = Completed { estimated_work: Some(0.0), source_bytes: None, rows: None, files_ms: None };
        assert_eq!(Typical::of(&[nothing]), None);
        let one = Typical::of(&[job(100.0, 50)]).expect("something");
        assert_eq!((one.work(None), one.row_work), ((100.0, UNKNOWN_SPREAD), 10.0));
        assert_eq!(one.work(Some(500)), (1000.0, UNKNOWN_SPREAD), "ten times the bytes, ten times the work");
        assert_eq!(one.files(100.0), None);
        let ten: Vec<Completed> = (1..=10).map(|n| job(f64::from(n) * 10.0, 100)).collect();
        let ten = Typical::of(&ten).expect("something");
        assert_eq!(ten.work(None).0, 60.0);
        assert!((ten.work(None).1 - 100.0 / 60.0).abs() < 1e-9);
        let files = Typical::of(&[Completed { files_ms: Some(5000), ..job(100.0, 50) }]).expect("something");
        assert_eq!(files.files(200.0), Some((10.0, 25.0)));
    }
}
