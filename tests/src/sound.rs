//! Recordings, and how much later one is than another.

use std::path::Path;

use crate::programs::run_ffmpeg;

/// Samples a second of every recording here.
pub const RATE: usize = 48_000;
/// Samples compared at a time: enough for noise to match itself at one place only.
const WINDOW: usize = 4096;
/// A lag is looked for up to 30 ms either way: an AAC frame is 21 ms.
const LARGEST_LAG: usize = 1440;

/// One channel, 48 kHz.
#[derive(Debug, Clone)]
pub struct Recording {
    samples: Vec<f32>,
}

/// How one recording lies against another at one place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lag {
    /// Samples by which it is late; negative when it is early.
    pub samples: i64,
    /// 1 for the same sound, about 0 for another.
    pub likeness: f32,
}

impl Lag {
    pub fn milliseconds(self) -> f64 {
        self.samples as f64 * 1000.0 / RATE as f64
    }
}

impl Recording {
    pub fn from_s16le(bytes: &[u8]) -> Self {
        let samples = bytes.chunks_exact(2).map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0);
        Self { samples: samples.collect() }
    }

    /// The first audio track of a file, as a player plays it: without what its edit list leaves out.
    pub async fn of_file(path: &Path) -> Self {
        let folder = path.parent().expect("a file lies in a folder");
        let name = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
        let words = format!("-i {name} -map 0:a:0 -ar 48000 -ac 1 -f s16le -");
        Self::from_s16le(&run_ffmpeg(folder, &words).await.stdout)
    }

    /// Length in samples.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    pub fn seconds(&self) -> f64 {
        self.len() as f64 / RATE as f64
    }

    /// Root mean square over a stretch in seconds: 0 is silence, 1 the loudest square wave.
    pub fn loudness(&self, from_seconds: f64, to_seconds: f64) -> f32 {
        let at = |seconds: f64| ((seconds * RATE as f64) as usize).min(self.len());
        let part = &self.samples[at(from_seconds)..at(to_seconds)];
        (part.iter().map(|sample| sample * sample).sum::<f32>() / part.len().max(1) as f32).sqrt()
    }

    /// How much later than in `expected` this recording has what `expected` has at `seconds`.
    pub fn lag_behind(&self, expected: &Self, seconds: f64) -> Lag {
        let at = ((seconds * RATE as f64) as usize).max(LARGEST_LAG);
        let window = &expected.samples[at..at + WINDOW];
        let likeness = |start: usize| -> f32 {
            let part = &self.samples[start..start + WINDOW];
            let (mut product, mut own, mut other) = (0.0_f32, 0.0_f32, 0.0_f32);
            for (a, b) in part.iter().zip(window) {
                product += a * b;
                own += a * a;
                other += b * b;
            }
            product / (own * other).sqrt().max(f32::EPSILON)
        };
        let starts = at - LARGEST_LAG..=at + LARGEST_LAG;
        let best = starts.map(|start| (start, likeness(start))).max_by(|a, b| a.1.total_cmp(&b.1)).expect("some places");
        Lag { samples: best.0 as i64 - at as i64, likeness: best.1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise from a linear congruential generator (Numerical Recipes' constants).
    fn noise(samples: usize) -> Vec<f32> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as f32 / 65_536.0 - 0.5
        };
        (0..samples).map(|_| next()).collect()
    }

    #[test]
    fn a_lag_is_found_to_the_sample() {
        let sound = noise(20_000);
        let expected = Recording { samples: sound.clone() };
        for late in [0_usize, 1, 48, 1024] {
            let samples = [vec![0.0; late], sound.clone()].concat();
            let lag = Recording { samples }.lag_behind(&expected, 0.1);
            assert_eq!((lag.samples, lag.likeness > 0.999), (late as i64, true));
        }
        let lag = Recording { samples: sound[100..].to_vec() }.lag_behind(&expected, 0.1);
        assert_eq!((lag.samples, lag.likeness > 0.999), (-100, true));
    }

    #[test]
    fn other_sound_is_not_alike() {
        let expected = Recording { samples: noise(20_000) };
        let other = Recording { samples: noise(40_000)[20_000..].to_vec() };
        assert!(other.lag_behind(&expected, 0.1).likeness < 0.3);
    }
}
