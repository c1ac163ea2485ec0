use crate::boxes::{BadMedia, Fields, boxes, need};

/// What samples have that say nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Defaults {
    pub duration: u32,
    pub size: u32,
}

/// What a `moof` says of its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoofHead {
    /// Decode time of the first sample (`tfdt`), in the track's timescale.
    pub start_ticks: u64,
    pub samples: u32,
    /// Sum of the samples' durations.
    pub duration_ticks: u64,
    /// Sum of their sizes.
    pub sample_bytes: u64,
}

/// More samples than any segment has: a segment is 30 s at 60 frames a second, or far fewer.
const MOST_SAMPLES: u32 = 1 << 20;

/// Reads a `moof`'s payload. `defaults` are the init segment's.
///
/// # Errors
/// When boxes are cut off or missing, when there is more than one track, or more samples than any segment has.
pub fn parse_moof(moof: &[u8], defaults: Defaults) -> Result<MoofHead, BadMedia> {
    let trafs = boxes(moof)?.into_iter().filter(|found| &found.kind == b"traf").count();
    if trafs != 1 {
        return Err(BadMedia::Other(format!("a fragment has {trafs} tracks where one is wanted")));
    }
    let traf = need(moof, "traf")?.payload;
    let mut tfdt = Fields::new(need(traf, "tfdt")?.payload, "tfdt");
    let (version, _) = tfdt.version_and_flags()?;
    let start_ticks = tfdt.wide(version)?;
    let defaults = track_defaults(need(traf, "tfhd")?.payload, defaults)?;

    let mut head = MoofHead { start_ticks, samples: 0, duration_ticks: 0, sample_bytes: 0 };
    for run in boxes(traf)?.into_iter().filter(|found| &found.kind == b"trun") {
        add_run(run.payload, defaults, &mut head)?;
    }
    Ok(head)
}

/// Defaults of a `tfhd` (ISO/IEC 14496-12 §8.8.7), where it has some.
fn track_defaults(tfhd: &[u8], from_init: Defaults) -> Result<Defaults, BadMedia> {
    const BASE_DATA_OFFSET: u32 = 0x1;
    const DESCRIPTION_INDEX: u32 = 0x2;
    const DURATION: u32 = 0x8;
    const SIZE: u32 = 0x10;
    let mut fields = Fields::new(tfhd, "tfhd");
    let (_, flags) = fields.version_and_flags()?;
    fields.skip(4)?;
    if flags & BASE_DATA_OFFSET != 0 {
        fields.skip(8)?;
    }
    if flags & DESCRIPTION_INDEX != 0 {
        fields.skip(4)?;
    }
    let duration = if flags & DURATION != 0 { fields.u32()? } else { from_init.duration };
    let size = if flags & SIZE != 0 { fields.u32()? } else { from_init.size };
    Ok(Defaults { duration, size })
}

/// Adds the samples of a `trun` (ISO/IEC 14496-12 §8.8.8).
fn add_run(trun: &[u8], defaults: Defaults, head: &mut MoofHead) -> Result<(), BadMedia> {
    const DATA_OFFSET: u32 = 0x1;
    const FIRST_FLAGS: u32 = 0x4;
    const DURATION: u32 = 0x100;
    const SIZE: u32 = 0x200;
    const OTHERS: [u32; 2] = [0x400, 0x800];
    let mut fields = Fields::new(trun, "trun");
    let (_, flags) = fields.version_and_flags()?;
    let samples = fields.u32()?;
    head.samples = head.samples.saturating_add(samples);
    if head.samples > MOST_SAMPLES {
        return Err(BadMedia::Other(format!("a fragment claims {} samples", head.samples)));
    }
    for optional in [DATA_OFFSET, FIRST_FLAGS] {
        if flags & optional != 0 {
            fields.skip(4)?;
        }
    }
    let others = OTHERS.iter().filter(|bit| flags & **bit != 0).count() * 4;
    if flags & (DURATION | SIZE) == 0 {
        head.duration_ticks = head.duration_ticks.saturating_add(u64::from(samples) * u64::from(defaults.duration));
        head.sample_bytes = head.sample_bytes.saturating_add(u64::from(samples) * u64::from(defaults.size));
        return Ok(());
    }
    for _ in 0..samples {
        let duration = if flags & DURATION != 0 { fields.u32()? } else { defaults.duration };
        let size = if flags & SIZE != 0 { fields.u32()? } else { defaults.size };
        fields.skip(others)?;
        head.duration_ticks = head.duration_ticks.saturating_add(duration.into());
        head.sample_bytes = head.sample_bytes.saturating_add(size.into());
    }
    Ok(())
}
