//! What the agents encode: a film that need not be as long as its facts say, and what a lease says of it.

use offpeak_api::{
    lease::{InitReport, Lease},
    media::{FrameGrid, SHORTEST_SEGMENT_FRAMES, video_timescale},
    work::Work,
};

/// Seconds that the facts promise, and in frames how much longer the film really is: exact, a short last row, a rest that is
/// merged or not, and ends in earlier rows.
pub const ENDS: [(f64, i64); 8] =
    [(20.0, 0), (20.0, -3), (20.0, 4), (20.0, 70), (20.0, -50), (20.0, -130), (20.0, -330), (3.0, 0)];
pub const FRAMES_PER_ROW: u64 = 50;

/// A job, and what it is really about.
pub struct Film {
    pub id: String,
    pub token: String,
    pub planned_seconds: f64,
    pub frames: u64,
    pub shown: f64,
}

impl Film {
    pub fn sound_rows(&self) -> u32 {
        u32::try_from(self.frames.div_ceil(FRAMES_PER_ROW)).unwrap()
    }

    /// Frames of a row, if the source has any there. Only who encodes to the end makes short rows and long ones: a hole
    /// before the end of another span is filled.
    pub fn frames_of(&self, work: &Work, index: u32, to_end: bool) -> Option<u32> {
        let left = self.frames.checked_sub(u64::from(index) * FRAMES_PER_ROW).filter(|left| *left > 0)?;
        let frames = match work {
            Work::Audio(_) => FRAMES_PER_ROW,
            _ if to_end && left < FRAMES_PER_ROW + u64::from(SHORTEST_SEGMENT_FRAMES) => left,
            _ => FRAMES_PER_ROW,
        };
        Some(u32::try_from(frames).unwrap())
    }
}

/// `first` and `cursor` of a task with rows, when it was leased.
pub fn rows_of(lease: &Lease) -> Option<(u32, u32)> {
    match &lease.work {
        Work::Encode(work) => Some((work.rows.first, work.rows.cursor)),
        Work::Audio(work) => Some((work.rows.first, work.rows.cursor)),
        Work::Fetch(_) | Work::Probe(_) | Work::File(_) => None,
    }
}

pub fn renditions_of(lease: &Lease) -> Vec<String> {
    match &lease.work {
        Work::Encode(work) => work.renditions.iter().map(|made| made.id.clone()).collect(),
        Work::Audio(work) => vec![work.rendition.clone()],
        Work::Fetch(_) | Work::Probe(_) | Work::File(_) => vec![],
    }
}

pub fn grid_of(lease: &Lease) -> Option<FrameGrid> {
    match &lease.work {
        Work::Encode(work) => Some(work.grid),
        Work::Audio(_) | Work::Fetch(_) | Work::Probe(_) | Work::File(_) => None,
    }
}

pub fn init(lease: &Lease, rendition: &str, bytes: u64, sha256: String) -> InitReport {
    InitReport {
        rendition: rendition.to_owned(),
        attempt: 0,
        bytes,
        sha256,
        fingerprint: "same build".into(),
        codecs: if grid_of(lease).is_some() { "avc1.64001e" } else { "mp4a.40.2" }.into(),
        timescale: grid_of(lease).map_or(48_000, |grid| video_timescale(grid.rate)),
        media_time: 0,
    }
}
