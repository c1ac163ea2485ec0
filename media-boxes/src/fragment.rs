use bytes::Bytes;

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
