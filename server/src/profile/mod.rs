//! Profiles: those that come with Offpeak, and those that a team made.

pub mod http;
pub mod store;

use offpeak_api::profile::{Access, AudioProfile, FileContainer, FileProfile, Profile, Quality, Rung, VideoProfile, X264Preset};

use crate::error::ApiError;

/// What comes with Offpeak.
pub fn built_in() -> Vec<Profile> {
    let rung = |height, max_kbps| Rung { height, max_kbps };
    vec![Profile {
        name: "hls-h264".to_owned(),
        description: "H.264 up to 1080p with AAC, as one set of CMAF segments for HLS and DASH, and an MP4 of the best rung."
            .to_owned(),
        segment_seconds: 6.0,
        span_seconds: 60.0,
        max_frame_rate: 60.0,
        video: VideoProfile {
            ladder: vec![rung(1080, 5000), rung(720, 2800), rung(480, 1400), rung(360, 800)],
            preset: X264Preset::Medium,
            quality: Quality::CappedCrf { crf: 23.0 },
        },
        audio: AudioProfile { bitrate_kbps: 128, channels: 2 },
        files: vec![FileProfile { name: "film.mp4".to_owned(), container: FileContainer::Mp4, height: None }],
        access: Access::default(),
    }]
}

/// Refuses a profile that cannot work, naming the field.
pub fn check(profile: &Profile) -> Result<(), ApiError> {
    let rules: &[(bool, &str)] = &[
        (is_name(&profile.name), "`name` has 1 to 63 lower-case letters, digits and hyphens, and begins with a letter or digit"),
        (profile.description.len() <= 500, "`description` has at most 500 bytes"),
        ((1.0..=30.0).contains(&profile.segment_seconds), "`segment_seconds` is 1 to 30"),
        (
            profile.span_seconds >= profile.segment_seconds && profile.span_seconds <= 3600.0,
            "`span_seconds` is at least `segment_seconds` and at most 3600",
        ),
        ((1.0..=240.0).contains(&profile.max_frame_rate), "`max_frame_rate` is 1 to 240"),
        ((1..=12).contains(&profile.video.ladder.len()), "`video.ladder` has 1 to 12 rungs"),
        (
            profile.video.ladder.windows(2).all(|pair| pair[0].height > pair[1].height),
            "`video.ladder` goes from the highest rung to the lowest",
        ),
        (
            profile.video.ladder.iter().all(|rung| (64..=4320).contains(&rung.height) && rung.height % 2 == 0),
            "`video.ladder[].height` is even, 64 to 4320",
        ),
        (
            profile.video.ladder.iter().all(|rung| (50..=400_000).contains(&rung.max_kbps)),
            "`video.ladder[].max_kbps` is 50 to 400000",
        ),
        (
            match profile.video.quality {
                Quality::CappedCrf { crf } => (1.0..=51.0).contains(&crf),
                Quality::Lossless => true,
            },
            "`video.quality.crf` is 1 to 51",
        ),
        ((32..=512).contains(&profile.audio.bitrate_kbps), "`audio.bitrate_kbps` is 32 to 512"),
        ((1..=2).contains(&profile.audio.channels), "`audio.channels` is 1 or 2"),
        (profile.files.len() <= 4, "`files` has at most 4 entries"),
        (profile.files.iter().all(|file| file_name(&file.name)), "`files[].name` is a plain lower-case file name"),
        (
            profile.files.iter().enumerate().all(|(n, file)| profile.files[..n].iter().all(|other| other.name != file.name)),
            "`files[].name` differs from file to file",
        ),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        None => Ok(()),
        Some((_, rule)) => Err(ApiError::unfit("bad_profile", format!("This profile cannot work: {rule}."))),
    }
}

/// True for what can be the name of a profile.
pub fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=63).contains(&bytes.len()) && bytes.first().is_some_and(plain) && bytes.iter().all(|byte| plain(byte) || *byte == b'-')
}

fn file_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=63).contains(&bytes.len())
        && bytes.first().is_some_and(plain)
        && bytes.iter().all(|byte| plain(byte) || b"._-".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_offpeak_can_work() {
        for profile in built_in() {
            check(&profile).expect("a built-in profile is valid");
        }
    }

    #[test]
    fn a_bad_profile_is_told_which_field() {
        let with = |edit: fn(&mut Profile)| {
            let mut profile = built_in().remove(0);
            edit(&mut profile);
            check(&profile).expect_err("must be refused").detail
        };
        assert!(with(|p| p.name = "My Profile".into()).contains("`name`"));
        assert!(with(|p| p.segment_seconds = 0.0).contains("`segment_seconds`"));
        assert!(with(|p| p.segment_seconds = f64::NAN).contains("`segment_seconds`"));
        assert!(with(|p| p.video.ladder.reverse()).contains("highest rung"));
        assert!(with(|p| p.video.ladder.clear()).contains("rungs"));
        assert!(with(|p| p.files[0].name = "../x".into()).contains("`files[].name`"));
    }
}
