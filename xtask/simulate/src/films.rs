//! What people submit: facts of films, put through the server's own planner.

use offpeak_api::{
    facts::{AudioFacts, Facts, FrameGaps, VideoFacts},
    media::Ratio,
    profile::Profile,
};
use offpeak_server::{
    lease::{TaskKind, rules::classes},
    plan::{self, Plan, Span, estimated_work},
    profile::built_in,
};

use crate::{dice::Dice, fleet::Classes};

/// What the simulation keeps of a plan.
#[derive(Debug, Clone, Default)]
pub struct Film {
    pub seconds: f64,
    pub rows: u32,
    /// Estimated work of every row but the last, and of the last.
    pub row_work: f64,
    pub last_row_work: f64,
    pub row_bytes: f64,
    pub has_sound: bool,
    pub has_file: bool,
    pub class: u8,
    pub spans: Vec<Span>,
    /// Estimated work of each.
    pub span_work: Vec<f64>,
}

impl Film {
    pub fn work_of(&self, row: u32) -> f64 {
        if row + 1 == self.rows { self.last_row_work } else { self.row_work }
    }

    pub fn work(&self) -> f64 {
        self.span_work.iter().sum()
    }

    fn of(plan: Plan, seconds: f64, source_pixels: u64, classes: &Classes) -> Self {
        let row = |n: u32| estimated_work(&plan, Span { first: n, last: n + 1, to_end: n + 1 == plan.segments });
        let memory_mib = classes::encode_memory_mib(&plan.video, source_pixels);
        // Constant quality stays well below the caps.
        let bits_per_second: f64 = plan.video.iter().map(|made| f64::from(made.max_kbps) * 600.0).sum();
        Self {
            seconds,
            rows: plan.segments,
            row_work: row(0),
            last_row_work: row(plan.segments - 1),
            row_bytes: bits_per_second * plan.grid.segment_seconds() / 8.0,
            has_sound: plan.audio.is_some(),
            has_file: !plan.files.is_empty(),
            class: classes.number(&classes::needed(TaskKind::Encode, memory_mib)) as u8,
            span_work: plan.spans.iter().map(|span| estimated_work(&plan, *span)).collect(),
            spans: plan.spans,
        }
    }
}

/// The profile that comes with Offpeak, with spans of this length if one is given.
pub fn profile(span_seconds: Option<f64>) -> Profile {
    let mut profile = built_in().swap_remove(0);
    profile.span_seconds = span_seconds.unwrap_or(profile.span_seconds);
    profile
}

/// The next film that somebody submits: three quarters are clips of about a minute, some are talks, few last for hours.
pub fn draw(dice: &mut Dice, profile: &Profile, classes: &Classes) -> Film {
    let clip = |dice: &mut Dice| dice.log_normal(45.0, 0.8).clamp(3.0, 300.0);
    let talk = |dice: &mut Dice| dice.log_normal(720.0, 0.6).clamp(120.0, 3600.0);
    let long = |dice: &mut Dice| dice.between(2400.0, 7800.0);
    let length: fn(&mut Dice) -> f64 = dice.pick(&[(clip as fn(&mut Dice) -> f64, 0.75), (talk, 0.20), (long, 0.05)]);
    let seconds = length(dice);
    let size = dice.pick(&[((3840, 2160), 0.05), ((1920, 1080), 0.60), ((1280, 720), 0.25), ((854, 480), 0.10)]);
    let rate = dice.pick(&[(24.0, 0.15), (25.0, 0.35), (30.0, 0.35), (50.0, 0.05), (60.0, 0.10)]);
    let has_sound = dice.chance(0.97);
    make(seconds, size, rate, has_sound, profile, classes)
}

/// A film of a known shape.
pub fn make(seconds: f64, size: (u32, u32), rate: f64, has_sound: bool, profile: &Profile, classes: &Classes) -> Film {
    let facts = Facts {
        container: "mov,mp4,m4a,3gp,3g2,mj2".to_owned(),
        bytes: (seconds * 1e6) as u64,
        video: Some(pictures(seconds, size, rate)),
        audio: has_sound.then(|| sound(seconds)),
        warnings: Vec::new(),
    };
    let plan = plan::plan(&facts, profile).expect("a film that can be planned");
    Film::of(plan, seconds, u64::from(size.0) * u64::from(size.1), classes)
}

fn pictures(seconds: f64, (width, height): (u32, u32), rate: f64) -> VideoFacts {
    VideoFacts {
        stream: 0,
        codec: "h264".to_owned(),
        pixel_format: "yuv420p".to_owned(),
        width,
        height,
        rotation: 0,
        sample_aspect: Ratio::new(1, 1),
        interlaced: false,
        transfer: None,
        start_seconds: 0.0,
        end_seconds: seconds,
        frames: (seconds * rate) as u64,
        gaps: FrameGaps { usual_seconds: 1.0 / rate, share_usual: 1.0, p90_rate: rate },
        keyframes_seconds: Vec::new(),
        open_gop: false,
    }
}

fn sound(seconds: f64) -> AudioFacts {
    AudioFacts {
        stream: 1,
        codec: "aac".to_owned(),
        channels: 2,
        sample_rate: 48_000,
        start_seconds: 0.0,
        end_seconds: seconds,
        language: None,
    }
}
