//! Pictures by hash: what ffmpeg's `framemd5` says of a file.

use std::path::Path;

use offpeak_api::media::Ratio;

use crate::programs::run_ffmpeg;

/// Decoded pictures in display order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frames {
    /// Seconds of one tick of the times, as numerator and denominator.
    tick: (u64, u64),
    frames: Vec<Frame>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Frame {
    time_ticks: i64,
    hash: String,
}

impl Frames {
    /// Reads what `-f framemd5` printed.
    pub fn parse(text: &str) -> Self {
        let tick = text.lines().find_map(|line| line.strip_prefix("#tb 0: ")).and_then(|tick| tick.split_once('/'));
        let (num, den) = tick.unwrap_or_else(|| panic!("no time base in {text:.200}"));
        let number = |text: &str| text.trim().parse::<i64>().unwrap_or_else(|e| panic!("{text:?}: {e}"));
        let frames = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let columns: Vec<&str> = line.split(',').collect();
            let [_, _, time, _, _, hash] = columns[..] else { panic!("a frame has six columns: {line}") };
            Frame { time_ticks: number(time), hash: hash.trim().to_owned() }
        });
        Self { tick: (number(num).unsigned_abs(), number(den).unsigned_abs()), frames: frames.collect() }
    }

    /// Decodes all pictures of a file; nothing is dropped, doubled or moved.
    pub async fn of_file(path: &Path) -> Self {
        let folder = path.parent().expect("a file lies in a folder");
        let name = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
        let words = format!("-copyts -i {name} -map 0:v:0 -fps_mode passthrough -enc_time_base demux -f framemd5 -");
        Self::parse(run_ffmpeg(folder, &words).await.text())
    }

    pub fn len(&self) -> usize {
        self.frames.len()
    }

    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// How many different pictures there are: few would make comparing hashes worthless.
    pub fn different(&self) -> usize {
        self.frames.iter().map(|frame| &frame.hash).collect::<std::collections::BTreeSet<_>>().len()
    }

    /// The first place where frame `n` is not shown at exactly `n / rate`.
    pub fn first_off_grid(&self, rate: Ratio) -> Option<String> {
        let (num, den) = (i128::from(self.tick.0), i128::from(self.tick.1));
        self.frames.iter().enumerate().find_map(|(n, frame)| {
            // time · num/den = n · rate.den/rate.num, without rounding.
            let is = i128::from(frame.time_ticks) * num * i128::from(rate.num);
            let wanted = n as i128 * i128::from(rate.den) * den;
            (is != wanted).then(|| format!("frame {n} is shown at {}·{num}/{den} s, not at {n}/({rate}) s", frame.time_ticks))
        })
    }

    /// What is different from `expected`, in words that say where to look.
    pub fn difference(&self, expected: &Self, frames_per_segment: usize) -> Option<String> {
        let pairs = self.frames.iter().zip(&expected.frames);
        let wrong: Vec<usize> = pairs.enumerate().filter(|(_, (a, b))| a.hash != b.hash).map(|(n, _)| n).collect();
        if wrong.is_empty() && self.len() == expected.len() {
            return None;
        }
        let mut words = format!("{} frames came out of {} expected", self.len(), expected.len());
        if let Some(&first) = wrong.first() {
            let segments: std::collections::BTreeSet<usize> = wrong.iter().map(|n| n / frames_per_segment).collect();
            let shown = &self.frames[first].hash;
            let place = expected.frames.iter().position(|frame| frame.hash == *shown);
            words += &format!(
                "; {} differ, the first is frame {first} (frame {} of segment {}), which shows {}; segments with differences: {segments:?}",
                wrong.len(),
                first % frames_per_segment,
                first / frames_per_segment,
                place.map_or("a picture that the reference has not".to_owned(), |place| format!("what belongs to frame {place}")),
            );
        }
        Some(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(tick: (u64, u64), times: &[i64], hashes: &str) -> Frames {
        let frames = times.iter().zip(hashes.chars()).map(|(time, hash)| Frame { time_ticks: *time, hash: hash.to_string() });
        Frames { tick, frames: frames.collect() }
    }

    #[test]
    fn a_difference_says_where() {
        let expected = frames((1, 25), &[0, 1, 2, 3, 4], "abcde");
        assert_eq!(expected.difference(&expected.clone(), 2), None);
        let late = frames((1, 25), &[0, 1, 2, 3, 4], "abccd").difference(&expected, 2).expect("a difference");
        assert!(late.contains("first is frame 3 (frame 1 of segment 1), which shows what belongs to frame 2"), "{late}");
        let short = frames((1, 25), &[0, 1], "ab").difference(&expected, 2).expect("a difference");
        assert_eq!(short, "2 frames came out of 5 expected");
    }

    #[test]
    fn the_grid_is_kept_to_the_tick() {
        let ntsc = Ratio::new(30_000, 1001);
        assert_eq!(frames((1, 30_000), &[0, 1001, 2002], "abc").first_off_grid(ntsc), None);
        assert!(frames((1, 30_000), &[0, 1001, 2003], "abc").first_off_grid(ntsc).is_some_and(|words| words.contains("frame 2")));
        assert!(frames((1, 30_000), &[1001, 2002], "ab").first_off_grid(ntsc).is_some());
    }

    #[test]
    fn framemd5_is_read() {
        let text = "#format: frame checksums\n#tb 0: 1001/24000\n#stream#, dts, pts, duration, size, hash\n\
                    0,          0,          0,        1,   124416, 37f9\n0,          1,          1,        1,   124416, 38dd\n";
        let parsed = Frames::parse(text);
        assert_eq!(parsed, frames((1001, 24_000), &[0, 1], "..").with_hashes(&["37f9", "38dd"]));
        assert_eq!(parsed.different(), 2);
    }

    impl Frames {
        fn with_hashes(mut self, hashes: &[&str]) -> Self {
            for (frame, hash) in self.frames.iter_mut().zip(hashes) {
                frame.hash = (*hash).to_owned();
            }
            self
        }
    }
}
