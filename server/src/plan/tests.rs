//! The cases that a planner gets wrong, as a table.

use offpeak_api::{
    facts::FrameGaps,
    profile::{Access, AudioProfile, Quality, Rung, VideoProfile, X264Preset},
};

use super::*;

fn profile() -> Profile {
    let ladder = [(1080, 5000), (720, 2800), (480, 1400), (360, 800)].map(|(height, max_kbps)| Rung { height, max_kbps });
    Profile {
        name: "hls-h264".to_owned(),
        description: String::new(),
        segment_seconds: 6.0,
        span_seconds: 60.0,
        max_frame_rate: 60.0,
        video: VideoProfile { ladder: ladder.to_vec(), preset: X264Preset::Medium, quality: Quality::default() },
        audio: AudioProfile { bitrate_kbps: 128, channels: 2 },
        files: vec![],
        access: Access::default(),
    }
}

/// Pictures of a size, with square pixels, one minute of them at 25 a second.
fn pictures(width: u32, height: u32) -> VideoFacts {
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
        end_seconds: 60.0,
        frames: 1500,
        gaps: FrameGaps { usual_seconds: 0.04, share_usual: 1.0, p90_rate: 25.0 },
        keyframes_seconds: vec![0.0],
        open_gop: false,
    }
}

fn lasting(video: VideoFacts, start_seconds: f64, end_seconds: f64) -> VideoFacts {
    VideoFacts { start_seconds, end_seconds, ..video }
}

fn at_rate(video: VideoFacts, rate: f64) -> VideoFacts {
    let frames = ((video.end_seconds - video.start_seconds) * rate).round() as u64;
    VideoFacts { frames, gaps: FrameGaps { usual_seconds: 1.0 / rate, share_usual: 1.0, p90_rate: rate }, ..video }
}

fn sound(start_seconds: f64, end_seconds: f64) -> AudioFacts {
    AudioFacts {
        stream: 1,
        codec: "aac".to_owned(),
        channels: 2,
        sample_rate: 44_100,
        start_seconds,
        end_seconds,
        language: None,
    }
}

fn source(video: Option<VideoFacts>, audio: Option<AudioFacts>) -> Facts {
    Facts { container: "mov,mp4,m4a,3gp,3g2,mj2".to_owned(), bytes: 1, video, audio, warnings: vec![] }
}

/// A plan in one line: `rate/frames per segment, frames in segments, T0; sizes@caps; audio`.
fn in_words(plan: &Plan) -> String {
    let rungs: Vec<String> = plan.video.iter().map(|v| format!("{}={}x{}@{}", v.id, v.width, v.height, v.max_kbps)).collect();
    let sound = plan.audio.as_ref().map_or("silent".to_owned(), |a| format!("{}x{}ch", a.segments, a.channels));
    let FrameGrid { rate, frames_per_segment, source_start_seconds } = plan.grid;
    let rungs = rungs.join(" ").replace("h264-", "");
    format!("{rate} x{frames_per_segment}, {} in {}, T0={source_start_seconds}; {rungs}; {sound}", plan.frames, plan.segments)
}

#[test]
fn the_cases_of_the_table() {
    let hd = || pictures(1920, 1080);
    let sar = |num, den, video| VideoFacts { sample_aspect: Ratio::new(num, den), ..video };
    let turned = |rotation, video| VideoFacts { rotation, ..video };
    let full = "1080p=1920x1080@5000 720p=1280x720@2800 480p=854x480@1400 360p=640x360@800";
    let variable = FrameGaps { usual_seconds: 1.0 / 30.0, share_usual: 0.6, p90_rate: 29.0 };
    for (what, video, audio, expected) in [
        // Sizes.
        ("full HD", hd(), None, format!("25 x150, 1500 in 10, T0=0; {full}; silent")),
        ("4K", pictures(3840, 2160), None, format!("25 x150, 1500 in 10, T0=0; {full}; silent")),
        (
            "upright phone film, coded upright",
            pictures(1080, 1920),
            None,
            "25 x150, 1500 in 10, T0=0; 1080p=1080x1920@5000 720p=720x1280@2800 480p=480x854@1400 360p=360x640@800; silent"
                .to_owned(),
        ),
        (
            "upright phone film, turned",
            turned(90, hd()),
            None,
            "25 x150, 1500 in 10, T0=0; 1080p=1080x1920@5000 720p=720x1280@2800 480p=480x854@1400 360p=360x640@800; silent"
                .to_owned(),
        ),
        ("upside down", turned(180, hd()), None, format!("25 x150, 1500 in 10, T0=0; {full}; silent")),
        (
            "4:3 PAL DVD",
            sar(16, 15, pictures(720, 576)),
            None,
            "25 x150, 1500 in 10, T0=0; 576p=768x576@1893 480p=640x480@1400 360p=480x360@800; silent".to_owned(),
        ),
        (
            "16:9 PAL DVD",
            sar(64, 45, pictures(720, 576)),
            None,
            "25 x150, 1500 in 10, T0=0; 576p=1024x576@1893 480p=854x480@1400 360p=640x360@800; silent".to_owned(),
        ),
        (
            "4:3 NTSC DVD: narrow pixels",
            sar(8, 9, pictures(720, 480)),
            None,
            "25 x150, 1500 in 10, T0=0; 480p=640x480@1400 360p=480x360@800; silent".to_owned(),
        ),
        (
            "anamorphic and turned",
            turned(270, sar(4, 3, pictures(1440, 1080))),
            None,
            "25 x150, 1500 in 10, T0=0; 1080p=1080x1920@5000 720p=720x1280@2800 480p=480x854@1400 360p=360x640@800; silent"
                .to_owned(),
        ),
        ("absurd pixel shape", sar(1000, 1, hd()), None, format!("25 x150, 1500 in 10, T0=0; {full}; silent")),
        ("854x480", pictures(854, 480), None, "25 x150, 1500 in 10, T0=0; 480p=854x480@1400 360p=640x360@800; silent".to_owned()),
        ("2.35:1", pictures(640, 272), None, "25 x150, 1500 in 10, T0=0; 272p=640x272@525; silent".to_owned()),
        ("tiny", pictures(64, 36), None, "25 x150, 1500 in 10, T0=0; 36p=64x36@100; silent".to_owned()),
        ("one pixel", pictures(1, 1), None, "25 x150, 1500 in 10, T0=0; 2p=2x2@100; silent".to_owned()),
        (
            "odd size",
            pictures(853, 479),
            None,
            "25 x150, 1500 in 10, T0=0; 478p=852x478@1400 360p=642x360@800; silent".to_owned(),
        ),
        (
            "a little below a rung",
            pictures(1920, 1038),
            None,
            "25 x150, 1500 in 10, T0=0; 1038p=1920x1038@5000 720p=1332x720@2800 480p=888x480@1400 360p=666x360@800; silent"
                .to_owned(),
        ),
        (
            "a little above a rung",
            pictures(1312, 738),
            None,
            "25 x150, 1500 in 10, T0=0; 720p=1280x720@2800 480p=854x480@1400 360p=640x360@800; silent".to_owned(),
        ),
        (
            "cinema between rungs",
            pictures(1920, 800),
            None,
            "25 x150, 1500 in 10, T0=0; 800p=1920x800@3213 720p=1728x720@2800 480p=1152x480@1400 360p=864x360@800; silent"
                .to_owned(),
        ),
        // Rates. Small pictures keep the lines short.
        (
            "23.976",
            at_rate(pictures(64, 36), 24_000.0 / 1001.0),
            None,
            "24000/1001 x144, 1439 in 10, T0=0; 36p=64x36@100; silent".to_owned(),
        ),
        (
            "29.97",
            at_rate(pictures(64, 36), 30_000.0 / 1001.0),
            None,
            "30000/1001 x180, 1798 in 10, T0=0; 36p=64x36@100; silent".to_owned(),
        ),
        (
            "59.94",
            at_rate(pictures(64, 36), 60_000.0 / 1001.0),
            None,
            "60000/1001 x360, 3596 in 10, T0=0; 36p=64x36@100; silent".to_owned(),
        ),
        ("50", at_rate(pictures(64, 36), 50.0), None, "50 x300, 3000 in 10, T0=0; 36p=64x36@100; silent".to_owned()),
        ("15", at_rate(pictures(64, 36), 15.0), None, "15 x90, 900 in 10, T0=0; 36p=64x36@100; silent".to_owned()),
        ("12.5", at_rate(pictures(64, 36), 12.5), None, "25/2 x75, 750 in 10, T0=0; 36p=64x36@100; silent".to_owned()),
        ("120", at_rate(pictures(64, 36), 120.0), None, "60 x360, 3600 in 10, T0=0; 36p=64x36@100; silent".to_owned()),
        ("a slide a second", at_rate(pictures(64, 36), 1.0), None, "5 x30, 300 in 10, T0=0; 36p=64x36@100; silent".to_owned()),
        (
            "variable",
            VideoFacts { gaps: variable, ..pictures(64, 36) },
            None,
            "30000/1001 x180, 1798 in 10, T0=0; 36p=64x36@100; silent".to_owned(),
        ),
        (
            "variable, beyond all",
            VideoFacts { gaps: FrameGaps { p90_rate: 250.0, ..variable }, ..pictures(64, 36) },
            None,
            "60 x360, 3600 in 10, T0=0; 36p=64x36@100; silent".to_owned(),
        ),
        // Times.
        ("with sound", pictures(64, 36), Some(sound(0.0, 60.01)), "25 x150, 1500 in 10, T0=0; 36p=64x36@100; 11x2ch".to_owned()),
        ("sound late", pictures(64, 36), Some(sound(3.5, 59.0)), "25 x150, 1500 in 10, T0=0; 36p=64x36@100; 10x2ch".to_owned()),
        (
            "pictures late",
            lasting(pictures(64, 36), 2.5, 62.5),
            Some(sound(0.5, 60.0)),
            "25 x150, 1550 in 11, T0=0.5; 36p=64x36@100; 10x2ch".to_owned(),
        ),
        (
            "broadcast timestamps",
            lasting(pictures(64, 36), 95_000.25, 95_060.25),
            Some(sound(95_000.5, 95_060.0)),
            "25 x150, 1500 in 10, T0=95000.25; 36p=64x36@100; 10x2ch".to_owned(),
        ),
        (
            "times before zero",
            lasting(pictures(64, 36), 0.0, 60.0),
            Some(sound(-0.5, 59.5)),
            "25 x150, 1513 in 11, T0=-0.5; 36p=64x36@100; 10x2ch".to_owned(),
        ),
        (
            "mono stays mono",
            pictures(64, 36),
            Some(AudioFacts { channels: 1, ..sound(0.0, 60.0) }),
            "25 x150, 1500 in 10, T0=0; 36p=64x36@100; 10x1ch".to_owned(),
        ),
        (
            "5.1 becomes stereo",
            pictures(64, 36),
            Some(AudioFacts { channels: 6, ..sound(0.0, 60.0) }),
            "25 x150, 1500 in 10, T0=0; 36p=64x36@100; 10x2ch".to_owned(),
        ),
        ("empty sound", pictures(64, 36), Some(sound(0.0, 0.0)), "25 x150, 1500 in 10, T0=0; 36p=64x36@100; silent".to_owned()),
        (
            "one frame",
            VideoFacts {
                frames: 1,
                gaps: FrameGaps { usual_seconds: 0.0, share_usual: 0.0, p90_rate: 0.0 },
                ..lasting(pictures(64, 36), 0.0, 0.04)
            },
            None,
            "25 x150, 1 in 1, T0=0; 36p=64x36@100; silent".to_owned(),
        ),
        (
            "one frame, facts without numbers",
            VideoFacts {
                frames: 1,
                gaps: FrameGaps { usual_seconds: f64::INFINITY, share_usual: f64::NAN, p90_rate: f64::NAN },
                ..lasting(pictures(64, 36), 0.0, 0.001)
            },
            None,
            "25 x150, 1 in 1, T0=0; 36p=64x36@100; silent".to_owned(),
        ),
        (
            "seven frames too many",
            lasting(pictures(64, 36), 0.0, 157.0 / 25.0),
            None,
            "25 x150, 157 in 1, T0=0; 36p=64x36@100; silent".to_owned(),
        ),
        (
            "eight frames too many",
            lasting(pictures(64, 36), 0.0, 158.0 / 25.0),
            None,
            "25 x150, 158 in 2, T0=0; 36p=64x36@100; silent".to_owned(),
        ),
        (
            "ten hours",
            lasting(pictures(64, 36), 0.0, 36_000.0),
            Some(sound(0.0, 36_000.0)),
            "25 x150, 900000 in 6000, T0=0; 36p=64x36@100; 6000x2ch".to_owned(),
        ),
    ] {
        let plan = plan(&source(Some(video), audio), &profile()).expect(what);
        assert_eq!(in_words(&plan), expected, "{what}");
    }
}

#[test]
fn frames_are_multiples_of_nothing_but_the_grid() {
    // Whatever the length, segments × F covers the frames with a last segment of 8 to F+7 frames.
    for milliseconds in (40..60_000).step_by(970) {
        let video = lasting(pictures(64, 36), 0.0, f64::from(milliseconds) / 1000.0);
        let plan = plan(&source(Some(video), None), &profile()).expect("a plan");
        let last = plan.frames - plan.grid.first_frame(plan.segments - 1);
        assert!(plan.segments == 1 || (8..150 + 8).contains(&last), "{milliseconds} ms: last segment has {last} frames");
    }
}

#[test]
fn filters_follow_the_facts() {
    for (interlaced, transfer, expected) in [
        (false, None, (false, false)),
        (true, Some("bt709"), (true, false)),
        (false, Some("smpte2084"), (false, true)),
        (false, Some("arib-std-b67"), (false, true)),
    ] {
        let video = VideoFacts { interlaced, transfer: transfer.map(str::to_owned), ..pictures(1920, 1080) };
        let filters = plan(&source(Some(video), None), &profile()).expect("a plan").filters;
        assert_eq!((filters.deinterlace, filters.tone_map), expected);
    }
}

#[test]
fn sound_alone_has_a_grid_of_milliseconds() {
    let plan = plan(&source(None, Some(sound(0.025, 31.0))), &profile()).expect("a plan");
    assert_eq!(plan.grid, FrameGrid { rate: Ratio::new(1000, 1), frames_per_segment: 6000, source_start_seconds: 0.025 });
    assert_eq!((plan.frames, plan.segments, plan.video.len(), plan.spans.len()), (0, 0, 0, 0));
    assert_eq!(plan.audio.map(|audio| (audio.id, audio.segments)), Some(("aac-1".to_owned(), 6)));
}

#[test]
fn short_segments_still_have_enough_frames() {
    let profile = Profile { segment_seconds: 1.0, span_seconds: 0.5, ..profile() };
    let plan = plan(&source(Some(at_rate(pictures(64, 36), 5.0)), None), &profile).expect("a plan");
    assert_eq!((plan.grid.frames_per_segment, plan.segments), (8, 37));
    assert!(plan.spans.iter().all(|span| span.last - span.first == 1));
}

#[test]
fn files_take_a_rung_that_exists() {
    let file = |height| FileProfile { name: "film.mp4".to_owned(), container: FileContainer::Mp4, height };
    for (height, expected) in [
        (None, "h264-720p"),
        (Some(480), "h264-480p"),
        (Some(1080), "h264-720p"),
        (Some(500), "h264-480p"),
        (Some(1), "h264-360p"),
    ] {
        let profile = Profile { files: vec![file(height)], ..profile() };
        let plan = plan(&source(Some(pictures(1280, 720)), Some(sound(0.0, 60.0))), &profile).expect("a plan");
        let file = &plan.files[0];
        assert_eq!((file.video.as_deref(), file.audio.as_deref()), (Some(expected), Some("aac-1")), "{height:?}");
    }
}

#[test]
fn what_cannot_be_planned_says_why() {
    let with = |change: &dyn Fn(&mut Profile)| {
        let mut profile = profile();
        change(&mut profile);
        profile
    };
    let film = || source(Some(pictures(1920, 1080)), None);
    for (facts, profile, code) in [
        (source(None, None), profile(), "nothing_to_encode"),
        (source(None, Some(sound(1.0, 1.0))), profile(), "source_empty"),
        (source(Some(lasting(pictures(64, 36), 0.0, 0.0)), None), profile(), "source_empty"),
        (source(Some(lasting(pictures(64, 36), 0.0, f64::NAN)), None), profile(), "source_empty"),
        (source(Some(lasting(pictures(64, 36), 0.0, 1e6)), None), profile(), "source_too_long"),
        (source(Some(lasting(pictures(64, 36), 0.0, 60.0)), Some(sound(-1e6, 0.0))), profile(), "source_too_long"),
        (source(Some(pictures(0, 36)), None), profile(), "bad_picture_size"),
        (source(Some(pictures(16_386, 2)), None), profile(), "bad_picture_size"),
        (source(Some(pictures(16_384, 16_384)), None), profile(), "bad_picture_size"),
        (film(), with(&|p| p.video.ladder.clear()), "bad_profile"),
        (film(), with(&|p| p.segment_seconds = f64::NAN), "bad_profile"),
        (film(), with(&|p| p.span_seconds = 0.0), "bad_profile"),
        (film(), with(&|p| p.max_frame_rate = 0.0), "bad_profile"),
        (film(), with(&|p| p.audio.channels = 6), "bad_profile"),
    ] {
        let error = plan(&facts, &profile).expect_err(code);
        assert_eq!(error.code(), code);
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn work_is_shared_out_without_loss() {
    let plan = plan(&source(Some(pictures(1920, 1080)), None), &profile()).expect("a plan");
    let sum: f64 = plan.spans.iter().map(|span| estimated_work(&plan, *span)).sum();
    let pixels = 1920 * 1080 + 1280 * 720 + 854 * 480 + 640 * 360;
    assert!((sum - 1500.0 * f64::from(pixels) / 1e6).abs() < 1e-6, "{sum}");
}

#[test]
fn a_plan_survives_storage() {
    let made = plan(&source(Some(at_rate(pictures(1920, 1080), 29.97)), Some(sound(0.1, 60.0))), &profile()).expect("a plan");
    let json = serde_json::to_string(&made).expect("JSON");
    assert_eq!(serde_json::from_str::<Plan>(&json).expect("a plan"), made);
}

#[test]
fn whatever_a_file_says_is_told_in_few_digits() {
    let told = |seconds| PlanError::TooLong { seconds, limit_seconds: 86_400.0 }.to_string();
    assert_eq!(told(90_000.5), "the source lasts 90000.5 s, more than the 86400 s that are allowed");
    assert_eq!(told(f64::MAX), "the source lasts 1.8e308 s, more than the 86400 s that are allowed");
    let empty = PlanError::Empty { stream: "video", start_seconds: 5e-324, end_seconds: -1e300 }.to_string();
    assert_eq!(empty, "the video stream of the source lasts no time: it starts at 0 s and ends at -1.0e300 s");
}
