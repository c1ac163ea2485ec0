use bytes::Bytes;

use super::BadMedia;
use crate::file::boxes::{Fields, boxes, need};

/// One `moof` with its `mdat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// Decode time of the first sample (`tfdt`), in the track's timescale.
    pub start_ticks: u64,
    pub samples: u32,
    /// Sum of the samples' durations.
    pub duration_ticks: u64,
    /// The bytes of both boxes.
    pub data: Bytes,
}

impl Fragment {
    pub fn end_ticks(&self) -> u64 {
        self.start_ticks.saturating_add(self.duration_ticks)
    }
}

/// More samples than any segment has: a segment is 30 s at 60 frames a second, or far fewer.
const MOST_SAMPLES: u32 = 1 << 20;

/// Start, samples and duration that a `moof` tells of. `default_duration` is the init segment's.
pub(super) fn parse_moof(moof: &[u8], default_duration: u32) -> Result<(u64, u32, u64), BadMedia> {
    let trafs = boxes(moof)?.into_iter().filter(|found| &found.kind == b"traf").count();
    if trafs != 1 {
        return Err(BadMedia::Other(format!("a fragment has {trafs} tracks where one is wanted")));
    }
    let traf = need(moof, "traf")?.payload;
    let mut tfdt = Fields::new(need(traf, "tfdt")?.payload, "tfdt");
    let (version, _) = tfdt.version_and_flags()?;
    let start = tfdt.wide(version)?;
    let default_duration = header_duration(need(traf, "tfhd")?.payload)?.unwrap_or(default_duration);

    let (mut samples, mut duration) = (0_u32, 0_u64);
    for run in boxes(traf)?.into_iter().filter(|found| &found.kind == b"trun") {
        let (run_samples, run_duration) = parse_run(run.payload, default_duration)?;
        samples = samples.saturating_add(run_samples);
        duration = duration.saturating_add(run_duration);
    }
    Ok((start, samples, duration))
}

/// `default_sample_duration` of a `tfhd` (ISO/IEC 14496-12 §8.8.7), if it has one.
fn header_duration(tfhd: &[u8]) -> Result<Option<u32>, BadMedia> {
    const BASE_DATA_OFFSET: u32 = 0x1;
    const DESCRIPTION_INDEX: u32 = 0x2;
    const DEFAULT_DURATION: u32 = 0x8;
    let mut fields = Fields::new(tfhd, "tfhd");
    let (_, flags) = fields.version_and_flags()?;
    fields.skip(4)?;
    if flags & BASE_DATA_OFFSET != 0 {
        fields.skip(8)?;
    }
    if flags & DESCRIPTION_INDEX != 0 {
        fields.skip(4)?;
    }
    if flags & DEFAULT_DURATION != 0 { fields.u32().map(Some) } else { Ok(None) }
}

/// Samples of a `trun` (ISO/IEC 14496-12 §8.8.8) and the sum of their durations.
fn parse_run(trun: &[u8], default_duration: u32) -> Result<(u32, u64), BadMedia> {
    const DATA_OFFSET: u32 = 0x1;
    const FIRST_FLAGS: u32 = 0x4;
    const DURATION: u32 = 0x100;
    const PER_SAMPLE: [u32; 4] = [DURATION, 0x200, 0x400, 0x800];
    let mut fields = Fields::new(trun, "trun");
    let (_, flags) = fields.version_and_flags()?;
    let samples = fields.u32()?;
    if samples > MOST_SAMPLES {
        return Err(BadMedia::Other(format!("a fragment claims {samples} samples")));
    }
    for optional in [DATA_OFFSET, FIRST_FLAGS] {
        if flags & optional != 0 {
            fields.skip(4)?;
        }
    }
    if flags & DURATION == 0 {
        return Ok((samples, u64::from(samples) * u64::from(default_duration)));
    }
    let after_duration = PER_SAMPLE.iter().filter(|bit| flags & **bit != 0).count() * 4 - 4;
    let mut duration = 0;
    for _ in 0..samples {
        duration += u64::from(fields.u32()?);
        fields.skip(after_duration)?;
    }
    Ok((samples, duration))
}
