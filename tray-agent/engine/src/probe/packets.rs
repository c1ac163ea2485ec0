//! What a source's packets tell: when its streams really begin and end, where its keyframes are.
//!
//! Headers promise; packets are what is there. Lines of ffprobe's CSV come in one by one and nothing is kept of them but
//! counts, ends and a thinned list of keyframes.

use super::gaps::GapTable;
use offpeak_api::facts::FrameGaps;

/// Keyframes nearer to the one kept before are left out: two a second are enough to seek by.
const KEYFRAME_SPACING_SECONDS: f64 = 0.5;

/// One line of `-show_entries packet=stream_index,pts,dts,duration,flags:packet_side_data=…`, times in ticks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Packet {
    pub stream: u32,
    pub pts: Option<i64>,
    pub dts: Option<i64>,
    pub duration: i64,
    pub key: bool,
    /// Needed for decoding, but cut off by an edit list.
    pub discard: bool,
    pub encrypted: bool,
    /// Samples at the packet's beginning that are not to be heard.
    pub skip_samples: u32,
}

impl Packet {
    /// `None` for lines that are no packet.
    pub fn read(line: &str) -> Option<Self> {
        let mut fields = line.split(',');
        let stream = fields.next()?.parse().ok()?;
        let pts = fields.next()?.parse().ok();
        let dts = fields.next()?.parse().ok();
        let duration = fields.next()?.parse().unwrap_or(0);
        let flags = fields.next()?;
        let mut packet = Self {
            stream,
            pts,
            dts,
            duration,
            key: flags.contains('K'),
            discard: flags.contains('D'),
            encrypted: false,
            skip_samples: 0,
        };
        while let Some(side_data) = fields.next() {
            match side_data {
                "Encryption info" => packet.encrypted = true,
                "Skip Samples" => packet.skip_samples = fields.next().and_then(|samples| samples.parse().ok()).unwrap_or(0),
                _ => {}
            }
        }
        Some(packet)
    }

    /// When it is shown: containers without presentation times (AVI) have decode times, raw streams have none at all.
    fn shown(&self, follows: i64) -> i64 {
        self.pts.or(self.dts).unwrap_or(follows)
    }
}

/// Follows the packets of the chosen video stream.
#[derive(Debug)]
pub struct VideoPackets {
    tick_seconds: f64,
    gaps: GapTable,
    frames: u64,
    first: i64,
    /// The frame shown last, and its duration.
    last: (i64, i64),
    /// Where a packet without any time goes.
    next: i64,
    keyframes_seconds: Vec<f64>,
    keyframe: Option<i64>,
    open_gop: bool,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoTimes {
    pub frames: u64,
    pub start_seconds: f64,
    pub end_seconds: f64,
    pub gaps: FrameGaps,
    pub keyframes_seconds: Vec<f64>,
    pub open_gop: bool,
}

impl VideoPackets {
    pub fn new(tick_seconds: f64) -> Self {
        Self {
            tick_seconds,
            gaps: GapTable::default(),
            frames: 0,
            first: i64::MAX,
            last: (i64::MIN, 0),
            next: 0,
            keyframes_seconds: Vec::new(),
            keyframe: None,
            open_gop: false,
        }
    }

    pub fn add(&mut self, packet: &Packet) {
        let shown = packet.shown(self.next);
        self.next = shown + packet.duration.max(1);
        if packet.discard {
            return;
        }
        self.frames += 1;
        self.gaps.push(shown);
        self.first = self.first.min(shown);
        if shown >= self.last.0 {
            self.last = (shown, packet.duration);
        }
        if packet.key {
            self.keyframe = Some(shown);
            let seconds = shown as f64 * self.tick_seconds;
            if self.keyframes_seconds.last().is_none_or(|last| seconds - last >= KEYFRAME_SPACING_SECONDS) {
                self.keyframes_seconds.push(seconds);
            }
        } else if self.keyframe.is_some_and(|keyframe| shown < keyframe) {
            self.open_gop = true;
        }
    }

    /// Length so far, in seconds.
    pub fn seconds(&self) -> f64 {
        if self.frames == 0 { 0.0 } else { self.last.0.saturating_sub(self.first) as f64 * self.tick_seconds }
    }

    /// `None` without frames.
    pub fn finish(self) -> Option<VideoTimes> {
        if self.frames == 0 {
            return None;
        }
        let (last, duration) = self.last;
        let last_seconds = duration.max(0) as f64 * self.tick_seconds;
        let gaps = self.gaps.finish(self.tick_seconds).unwrap_or_else(|| {
            // A single frame: as usual as it gets.
            let usual_seconds = if last_seconds > 0.0 { last_seconds } else { 1.0 };
            FrameGaps { usual_seconds, share_usual: 1.0, p90_rate: 1.0 / usual_seconds }
        });
        let last_seconds = if duration > 0 { last_seconds } else { gaps.usual_seconds };
        Some(VideoTimes {
            frames: self.frames,
            start_seconds: self.first as f64 * self.tick_seconds,
            end_seconds: last as f64 * self.tick_seconds + last_seconds,
            gaps,
            keyframes_seconds: self.keyframes_seconds,
            open_gop: self.open_gop,
        })
    }
}

/// Follows the packets of the chosen audio stream.
#[derive(Debug)]
pub struct AudioPackets {
    tick_seconds: f64,
    sample_rate: u32,
    bounds: Option<(f64, f64)>,
    next: i64,
    /// A decoder's run-in, or what an edit list cuts off, is not heard up to here.
    heard_from_seconds: f64,
}

impl AudioPackets {
    pub fn new(tick_seconds: f64, sample_rate: u32) -> Self {
        Self { tick_seconds, sample_rate, bounds: None, next: 0, heard_from_seconds: f64::MIN }
    }

    pub fn add(&mut self, packet: &Packet) {
        let start = packet.shown(self.next);
        self.next = start + packet.duration.max(1);
        let end = (start + packet.duration.max(0)) as f64 * self.tick_seconds;
        let start = start as f64 * self.tick_seconds;
        // The count stands at the first packet, heard or not, and may reach over several.
        if packet.skip_samples > 0 {
            self.heard_from_seconds = start + f64::from(packet.skip_samples) / f64::from(self.sample_rate);
        }
        if packet.discard || end <= self.heard_from_seconds {
            return;
        }
        let start = start.max(self.heard_from_seconds);
        self.bounds = Some(self.bounds.map_or((start, end), |(first, last)| (first.min(start), last.max(end))));
    }

    /// Start and end in seconds; `None` without sound.
    pub fn finish(self) -> Option<(f64, f64)> {
        self.bounds
    }

    /// Length so far, in seconds.
    pub fn seconds(&self) -> f64 {
        self.bounds.map_or(0.0, |(start, end)| end - start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(lines: &str, tick_seconds: f64) -> Option<VideoTimes> {
        let mut packets = VideoPackets::new(tick_seconds);
        lines.lines().filter_map(Packet::read).for_each(|packet| packets.add(&packet));
        packets.finish()
    }

    #[test]
    fn lines_are_read() {
        let plain = Packet {
            stream: 1,
            pts: Some(-7),
            dts: None,
            duration: 20,
            key: true,
            discard: false,
            encrypted: false,
            skip_samples: 0,
        };
        let cases = [
            ("1,-7,N/A,20,K__", Some(plain)),
            ("1,-7,N/A,20,K__,MPEGTS Stream ID", Some(plain)),
            ("1,-7,N/A,20,KD_,Skip Samples,312,0", Some(Packet { discard: true, skip_samples: 312, ..plain })),
            ("1,-7,N/A,20,K__,Encryption info,Skip Samples,9,0", Some(Packet { encrypted: true, skip_samples: 9, ..plain })),
            ("1,N/A,N/A,N/A,___", Some(Packet { pts: None, duration: 0, key: false, ..plain })),
            ("", None),
            ("1,2", None),
            ("x,1,1,1,K__", None),
        ];
        for (line, expected) in cases {
            assert_eq!(Packet::read(line), expected, "{line}");
        }
    }

    #[test]
    fn frames_cut_off_by_an_edit_do_not_count() {
        let times =
            video("0,-2,-4,1,KD_\n0,-1,-3,1,_D_\n0,0,0,1,___\n0,2,1,1,___\n0,1,2,1,___\n0,3,3,2,K__", 0.5).expect("frames");
        assert_eq!((times.frames, times.start_seconds, times.end_seconds), (4, 0.0, 2.5));
        assert_eq!(times.keyframes_seconds, [1.5]);
        assert!(!times.open_gop);
    }

    #[test]
    fn open_gops_are_seen() {
        assert!(!video("0,0,0,1,K__\n0,2,1,1,___\n0,1,2,1,___\n0,3,3,1,K__", 1.0).expect("frames").open_gop);
        assert!(video("0,0,0,1,K__\n0,1,1,1,___\n0,3,2,1,K__\n0,2,3,1,___", 1.0).expect("frames").open_gop);
    }

    #[test]
    fn times_come_from_what_there_is() {
        // Decode times only (AVI), nothing but durations (raw streams), no duration at the end.
        for lines in ["0,N/A,0,1,K__\n0,N/A,1,1,___\n0,N/A,2,1,___", "0,N/A,N/A,1,K__\n0,N/A,N/A,1,___\n0,N/A,N/A,1,___"] {
            let times = video(lines, 0.04).expect("frames");
            assert!((times.end_seconds - 0.12).abs() < 1e-9 && times.frames == 3, "{times:?}");
        }
        let times = video("0,0,0,N/A,K__\n0,10,10,N/A,___", 0.1).expect("frames");
        assert_eq!(times.end_seconds, 2.0);
        assert_eq!(video("", 1.0), None);
        let single = video("0,5,5,N/A,K__", 1.0).expect("a frame");
        assert_eq!((single.frames, single.end_seconds), (1, 6.0));
    }

    #[test]
    fn keyframes_are_thinned_out() {
        let lines: String = (0..1000).map(|frame| format!("0,{frame},{frame},1,K__\n")).collect();
        let times = video(&lines, 0.04).expect("frames");
        assert_eq!(times.keyframes_seconds.len(), 77);
        assert!(times.keyframes_seconds.windows(2).all(|pair| pair[1] - pair[0] >= 0.5));
    }

    #[test]
    fn run_in_is_not_heard() {
        let mut sound = AudioPackets::new(0.001, 48_000);
        for line in ["1,-7,-7,20,K__,Skip Samples,336,0", "1,13,13,20,K__", "1,33,33,7,K__,Skip Samples,0,648"] {
            sound.add(&Packet::read(line).expect("a packet"));
        }
        let (start, end) = sound.finish().expect("sound");
        assert!(start.abs() < 1e-9 && (end - 0.04).abs() < 1e-9, "{start} {end}");
    }

    #[test]
    fn what_an_edit_cuts_off_is_not_heard() {
        // 70 samples of 1 ms are cut off: three packets and a half.
        let mut sound = AudioPackets::new(0.001, 1000);
        for line in
            ["1,-70,-70,20,KD_,Skip Samples,70,0", "1,-50,-50,20,KD_", "1,-30,-30,20,KD_", "1,-10,-10,20,K__", "1,10,10,20,K__"]
        {
            sound.add(&Packet::read(line).expect("a packet"));
        }
        let (start, end) = sound.finish().expect("sound");
        assert!(start.abs() < 1e-9 && (end - 0.03).abs() < 1e-9, "{start} {end}");
    }
}
