//! Films that are hard to cut: small, short, every picture another one, each with one thing that cutting by seconds or by
//! keyframes would get wrong.

use std::path::{Path, PathBuf};

use offpeak_api::{
    media::Ratio,
    profile::{Access, AudioProfile, FileContainer, FileProfile, Profile, Quality, Rung, VideoProfile, X264Preset},
};

use crate::programs::run_ffmpeg;

/// How to make one source, and what a stream of it must look like.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The file's name; its ending chooses the container.
    pub file: &'static str,
    /// Words for ffmpeg, one string a run; the last run writes `file`. [`PICTURES`] and its like are put in for `{…}`.
    runs: &'static [&'static str],
    /// The output frame rate that the design asks for.
    pub rate: Ratio,
    /// Size in square pixels, upright, even.
    pub size: (u32, u32),
    pub interlaced: bool,
    /// Whether it has sound, and how long that stays silent from the start of the presentation.
    pub sound: Sound,
    /// How long its pictures last from the start of the presentation.
    pub seconds: f64,
    /// Of the profile that it is meant for.
    pub segment_seconds: f64,
    /// Spans that it is cut into at least: fewer would prove little.
    pub spans: usize,
    /// Share of its pictures on the frame grid that differ from all others at least.
    pub different: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sound {
    None,
    FromTheStart,
    After { silent_seconds: f64 },
}

/// A test card with a running clock: no two pictures are the same.
const PICTURES: &str = "-f lavfi -i testsrc2=size=384x216:rate=25:duration=20";
/// Noise matches itself at one place only, so the lag between two recordings of it can be measured to the sample.
const NOISE: &str = "-f lavfi -i anoisesrc=color=pink:amplitude=0.4:seed=7:sample_rate=48000:duration=20";
const NOISE_18_S: &str = "-f lavfi -i anoisesrc=color=pink:amplitude=0.4:seed=7:sample_rate=48000:duration=18.27";
const H264: &str = "-c:v libx264 -preset veryfast -crf 20 -bf 3 -sc_threshold 0 -pix_fmt yuv420p";
const OPEN_GOP: &str =
    "-c:v libx264 -preset veryfast -crf 20 -bf 3 -sc_threshold 0 -pix_fmt yuv420p -g 40 -x264-params open-gop=1";

impl Recipe {
    /// Makes the source in `folder`.
    pub async fn make(&self, folder: &Path) -> PathBuf {
        for run in self.runs {
            let words = [
                ("{pictures}", PICTURES),
                ("{noise}", NOISE),
                ("{noise-18s}", NOISE_18_S),
                ("{h264}", H264),
                ("{open-gop}", OPEN_GOP),
                ("{file}", self.file),
            ]
            .iter()
            .fold((*run).to_owned(), |words, (name, value)| words.replace(name, value));
            run_ffmpeg(folder, &words).await;
        }
        folder.join(self.file)
    }
}

const PLAIN: Recipe = Recipe {
    file: "",
    runs: &[],
    rate: Ratio::new(25, 1),
    size: (384, 216),
    interlaced: false,
    sound: Sound::FromTheStart,
    seconds: 20.0,
    segment_seconds: 2.0,
    spans: 4,
    different: 0.6,
};

/// The recipe of that file name.
pub fn recipe(file: &str) -> Recipe {
    recipes().into_iter().find(|recipe| recipe.file == file).unwrap_or_else(|| panic!("no recipe makes {file}"))
}

/// All sources whose encoding in spans is compared with encoding them whole.
pub fn recipes() -> Vec<Recipe> {
    vec![
        // Pictures before a keyframe that need the one before it.
        Recipe { file: "open-gop.mp4", runs: &["{pictures} {noise} {open-gop} -c:a aac {file}"], ..PLAIN },
        Recipe { file: "open-gop.ts", runs: &["{pictures} {noise} {open-gop} -c:a aac {file}"], ..PLAIN },
        // Only one keyframe: every span is decoded from the file's start.
        Recipe { file: "one-gop.mkv", runs: &["{pictures} {noise} {h264} -g 9999 -keyint_min 9999 -c:a flac {file}"], ..PLAIN },
        // Gaps of 40, 50, 70 and 100 ms that fall between the grid's points.
        Recipe {
            file: "variable-rate.mp4",
            runs: &["-f lavfi -i testsrc2=size=384x216:rate=100:duration=20 {noise} \
                     -vf select='eq(mod(n,34),0)+eq(mod(n,34),4)+eq(mod(n,34),8)+eq(mod(n,34),12)+eq(mod(n,34),17)+eq(mod(n,34),24)' \
                     -fps_mode vfr {h264} -g 30 -c:a aac {file}"],
            ..PLAIN
        },
        // An edit list that starts in the middle of a GOP, and of an audio frame.
        Recipe {
            file: "edit-list.mp4",
            runs: &["{pictures} {noise} {open-gop} -c:a aac whole.mp4", "-ss 1.3 -i whole.mp4 -c copy {file}"],
            seconds: 18.7,
            ..PLAIN
        },
        Recipe {
            file: "interlaced.ts",
            runs: &[
                "-f lavfi -i testsrc2=size=384x288:rate=50:duration=20 {noise} -vf tinterlace=interleave_top,fieldorder=tff \
                     -c:v mpeg2video -q:v 3 -flags +ildct+ilme -g 15 -bf 2 -c:a mp2 {file}",
            ],
            size: (384, 288),
            interlaced: true,
            ..PLAIN
        },
        Recipe {
            file: "program-stream.mpg",
            runs: &["{pictures} {noise} -c:v mpeg2video -q:v 3 -bf 2 -g 12 -c:a mp2 {file}"],
            ..PLAIN
        },
        // No presentation times in the file.
        Recipe {
            file: "b-frames.avi",
            runs: &["{pictures} {noise} -c:v mpeg4 -q:v 3 -bf 2 -g 50 -c:a libmp3lame {file}"],
            ..PLAIN
        },
        Recipe {
            file: "vp9.webm",
            runs: &["{pictures} {noise} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 1M -g 60 -c:a libopus {file}"],
            ..PLAIN
        },
        // Times of whole milliseconds, at a rate that has none.
        Recipe {
            file: "23-976.mkv",
            runs: &["-f lavfi -i testsrc2=size=384x216:rate=24000/1001:duration=20 {noise} {h264} -g 50 -c:a aac {file}"],
            rate: Ratio::new(24_000, 1001),
            ..PLAIN
        },
        Recipe {
            file: "59-94.mp4",
            runs: &[
                "-f lavfi -i testsrc2=size=384x216:rate=60000/1001:duration=16 {noise} {h264} -g 120 -c:a aac -shortest {file}",
            ],
            rate: Ratio::new(60_000, 1001),
            seconds: 16.0,
            ..PLAIN
        },
        Recipe {
            file: "late-pictures.mp4",
            runs: &["-itsoffset 1.73 -f lavfi -i testsrc2=size=384x216:rate=25:duration=18 {noise} {h264} -g 50 -c:a aac {file}"],
            seconds: 19.7,
            ..PLAIN
        },
        Recipe {
            file: "late-sound.mkv",
            runs: &["{pictures} -itsoffset 1.73 {noise-18s} {h264} -g 50 -c:a aac {file}"],
            sound: Sound::After { silent_seconds: 1.73 },
            ..PLAIN
        },
        Recipe {
            file: "rotated.mp4",
            runs: &["{pictures} {noise} {h264} -g 50 -c:a aac upright.mp4", "-display_rotation 90 -i upright.mp4 -c copy {file}"],
            size: (216, 384),
            ..PLAIN
        },
        // 4:3 pixels.
        Recipe {
            file: "anamorphic.mp4",
            runs: &["-f lavfi -i testsrc2=size=288x216:rate=25:duration=20 {noise} -vf setsar=4/3 {h264} -g 50 -c:a aac {file}"],
            ..PLAIN
        },
        Recipe {
            file: "hevc.mp4",
            runs: &["{pictures} {noise} -c:v libx265 -preset ultrafast -tag:v hvc1 \
                     -x265-params log-level=error:open-gop=1:keyint=40:bframes=3 -c:a aac {file}"],
            ..PLAIN
        },
        // Seeks land late.
        Recipe { file: "flash.flv", runs: &["{pictures} {noise} {h264} -g 50 -c:a aac {file}"], ..PLAIN },
        Recipe {
            file: "ten-bit.mkv",
            runs: &["-f lavfi -i testsrc2=size=384x216:rate=30:duration=20 {noise} \
                     -c:v libx264 -preset veryfast -pix_fmt yuv420p10le -g 90 -c:a ac3 {file}"],
            rate: Ratio::new(30, 1),
            ..PLAIN
        },
        Recipe {
            file: "odd-size.mp4",
            runs: &["-f lavfi -i testsrc2=size=383x215:rate=25:duration=20 \
                     -c:v libx264 -preset veryfast -pix_fmt yuv444p -g 50 {file}"],
            size: (382, 214),
            sound: Sound::None,
            ..PLAIN
        },
        Recipe {
            file: "fragmented.mp4",
            runs: &["{pictures} {noise} {open-gop} -c:a aac -movflags frag_keyframe+empty_moov {file}"],
            ..PLAIN
        },
        // The delay of B-frames is not taken back: the first picture comes late.
        Recipe { file: "no-edit-list.mp4", runs: &["{pictures} {noise} {h264} -g 50 -c:a aac -use_editlist 0 {file}"], ..PLAIN },
        // A recording that was streamed: no index to seek by, no duration.
        Recipe { file: "no-index.mkv", runs: &["{pictures} {noise} {h264} -g 50 -c:a aac -live 1 {file}"], ..PLAIN },
        Recipe { file: "windows-media.wmv", runs: &["{pictures} {noise} -c:v wmv2 -q:v 3 -g 50 -c:a wmav2 {file}"], ..PLAIN },
        // The 33 bits of its times run over in the middle of the film.
        Recipe {
            file: "wrapped.ts",
            runs: &["{pictures} {noise} {h264} -g 50 -c:a aac -output_ts_offset 95435 {file}"],
            ..PLAIN
        },
        Recipe {
            file: "29-97-fields.ts",
            runs: &["-f lavfi -i testsrc2=size=384x288:rate=60000/1001:duration=20 {noise} \
                     -vf tinterlace=interleave_top,fieldorder=tff -c:v libx264 -preset veryfast -crf 20 -g 30 -flags +ildct+ilme \
                     -x264-params tff=1 -c:a ac3 {file}"],
            rate: Ratio::new(30_000, 1001),
            size: (384, 288),
            interlaced: true,
            ..PLAIN
        },
        // Spans begin at keyframes, where a deinterlacer has not yet seen the pictures before.
        Recipe {
            file: "fields.mp4",
            runs: &[
                "-f lavfi -i testsrc2=size=384x288:rate=50:duration=20 {noise} -vf tinterlace=interleave_top,fieldorder=tff \
                     {h264} -g 50 -flags +ildct+ilme+cgop -x264-params tff=1 -c:a aac {file}",
            ],
            size: (384, 288),
            interlaced: true,
            ..PLAIN
        },
        // Every second picture is left out.
        Recipe {
            file: "120-fps.mp4",
            runs: &["-f lavfi -i testsrc2=size=384x216:rate=120:duration=12 {noise} {h264} -g 120 -c:a aac -shortest {file}"],
            rate: Ratio::new(60, 1),
            seconds: 12.0,
            ..PLAIN
        },
        // A picture a second, each shown five times.
        Recipe {
            file: "slides.mp4",
            runs: &["-f lavfi -i testsrc2=size=384x216:rate=1:duration=20 {noise} {h264} -g 4 -c:a aac {file}"],
            rate: Ratio::new(5, 1),
            different: 0.19,
            ..PLAIN
        },
        Recipe {
            file: "long-sound.mp4",
            runs: &["-f lavfi -i testsrc2=size=384x216:rate=25:duration=11 {noise} {h264} -g 50 -c:a aac {file}"],
            seconds: 11.0,
            ..PLAIN
        },
        // Shorter than a segment.
        Recipe {
            file: "blink.mp4",
            runs: &["-f lavfi -i testsrc2=size=384x216:rate=25:duration=0.6 \
                     -f lavfi -i anoisesrc=color=pink:amplitude=0.4:seed=7:sample_rate=48000:duration=0.6 {h264} -c:a aac {file}"],
            spans: 1,
            seconds: 0.6,
            ..PLAIN
        },
    ]
}

/// A film whose segments take a second or more each with [`slow_lossless_profile`], so that there is a middle to interrupt.
pub fn slow_film() -> Recipe {
    Recipe {
        file: "slow.mp4",
        runs: &["-f lavfi -i testsrc2=size=960x540:rate=25:duration=20 {noise} -c:v libx264 -preset ultrafast -crf 20 -g 60 \
                 -pix_fmt yuv420p -c:a aac {file}"],
        size: (960, 540),
        ..PLAIN
    }
}

/// Films of many short rows, for [`chaos_profile`]: two minutes each, of different rates and containers.
pub fn chaos_films() -> Vec<Recipe> {
    let film = Recipe { segment_seconds: 1.0, seconds: 120.0, ..PLAIN };
    vec![
        Recipe {
            file: "chaos-open-gop.ts",
            runs: &["-f lavfi -i testsrc2=size=384x216:rate=25:duration=120 \
                     -f lavfi -i anoisesrc=color=pink:amplitude=0.4:seed=7:sample_rate=48000:duration=120 {open-gop} -c:a aac {file}"],
            ..film.clone()
        },
        Recipe {
            file: "chaos-23-976.mkv",
            runs: &["-f lavfi -i testsrc2=size=384x216:rate=24000/1001:duration=120 \
                     -f lavfi -i anoisesrc=color=pink:amplitude=0.4:seed=7:sample_rate=48000:duration=120 {h264} -g 50 -c:a aac {file}"],
            rate: Ratio::new(24_000, 1001),
            ..film.clone()
        },
        Recipe {
            file: "chaos-silent.mp4",
            runs: &["-f lavfi -i testsrc2=size=320x180:rate=30:duration=120 {h264} -g 90 {file}"],
            rate: Ratio::new(30, 1),
            size: (320, 180),
            sound: Sound::None,
            ..film
        },
    ]
}

/// [`lossless_profile`] with many more rows than faults, and spans that are worth stealing from.
pub fn chaos_profile() -> Profile {
    let lossless = lossless_profile();
    Profile { name: "test-chaos".to_owned(), segment_seconds: 1.0, span_seconds: 20.0, ..lossless }
}

/// [`lossless_profile`] with the slowest preset.
pub fn slow_lossless_profile() -> Profile {
    let lossless = lossless_profile();
    Profile {
        name: "test-slow".to_owned(),
        video: VideoProfile { preset: X264Preset::Veryslow, ..lossless.video.clone() },
        ..lossless
    }
}

/// A profile whose pictures come out as they went in: two rungs, many short segments, several spans.
pub fn lossless_profile() -> Profile {
    Profile {
        name: "test-lossless".to_owned(),
        description: "For comparing pictures by hash".to_owned(),
        segment_seconds: 2.0,
        span_seconds: 6.0,
        max_frame_rate: 60.0,
        video: VideoProfile {
            // The source's own size becomes a rung by itself.
            ladder: vec![Rung { height: 1080, max_kbps: 5000 }, Rung { height: 120, max_kbps: 300 }],
            // The fastest preset that still has B-frames, whose delay must not move a picture.
            preset: X264Preset::Superfast,
            quality: Quality::Lossless,
        },
        audio: AudioProfile { bitrate_kbps: 128, channels: 2 },
        files: Vec::new(),
        access: Access::default(),
    }
}

/// A profile as people use it, small: two rungs under caps, and a film to download.
pub fn small_profile() -> Profile {
    let lossless = lossless_profile();
    Profile {
        name: "test-small".to_owned(),
        description: "For tests of what players see".to_owned(),
        video: VideoProfile {
            ladder: vec![Rung { height: 1080, max_kbps: 2000 }, Rung { height: 120, max_kbps: 300 }],
            preset: X264Preset::Veryfast,
            quality: Quality::default(),
        },
        files: vec![FileProfile { name: "film.mp4".to_owned(), container: FileContainer::Mp4, height: None }],
        ..lossless
    }
}
