//! Capability classes: what a task needs and what an agent can do, as names that can be compared for equality.
//!
//! A ready task and its slot carry one class; an agent serves a short list of them, so that a claim is a handful of looks into
//! an index and never a comparison task by task. `none` needs no encoder, `aac` sound's; a video encoder comes with the
//! memory that it needs, rounded up to a power of two: `libx264:1g`, `libx264:2g` … An agent serves all buckets up to its own
//! memory, so classes filter and do not rank.
//!
//! The smallest bucket holds what nearly every office computer can do. A smaller one would be worse than none: machines that
//! serve only easy work get through it sooner, the easy class's virtual time runs ahead of the others', and a team that
//! comes with easy work starts there, behind everybody (docs/decisions/a-day-of-a-fleet.md has the figures).

use offpeak_api::{lease::Capabilities, profile::X264Preset, work::VideoRendition};

use crate::lease::TaskKind;

/// The class of what takes no encoder.
pub const NO_ENCODER: &str = "none";
/// Encoders whose memory depends on the pictures.
const VIDEO_ENCODERS: [&str; 1] = ["libx264"];
/// Names of the buckets with their limits in MiB. More than the last is the last's: somebody may try.
const BUCKETS: [(&str, u32); 5] = [("1g", 1024), ("2g", 2048), ("4g", 4096), ("8g", 8192), ("16g", 16_384)];

/// Memory for one lease when an engine does not say: enough for a 1080p ladder, which any office computer of today has.
pub const USUAL_MEMORY_MIB: u32 = 1024;

/// The class of a task. `memory_mib` counts for video only ([`encode_memory_mib`]).
pub fn needed(kind: TaskKind, memory_mib: u32) -> String {
    match kind.encoder() {
        None => NO_ENCODER.to_owned(),
        Some(encoder) if VIDEO_ENCODERS.contains(&encoder) => {
            let bucket = BUCKETS.iter().find(|(_, limit)| memory_mib <= *limit).unwrap_or(&BUCKETS[BUCKETS.len() - 1]);
            format!("{encoder}:{}", bucket.0)
        }
        Some(encoder) => encoder.to_owned(),
    }
}

/// The classes that an agent serves with these encoders and this much memory for each lease; at most seven.
///
/// Encoders that no task needs are left out, however many the agent names. The smallest bucket is always served: an agent
/// that cannot spare a gigabyte would be idle for ever; much work takes less, and its failures say so soon enough.
pub fn served(encoders: &[String], memory_mib: u32) -> Vec<String> {
    let mut classes = Vec::new();
    for kind in TaskKind::ALL {
        match kind.encoder() {
            Some(encoder) if !encoders.iter().any(|has| has == encoder) => {}
            Some(encoder) if VIDEO_ENCODERS.contains(&encoder) => {
                let buckets = BUCKETS.iter().enumerate().filter(|(n, (_, limit))| *n == 0 || memory_mib >= *limit);
                classes.extend(buckets.map(|(_, (name, _))| format!("{encoder}:{name}")));
            }
            Some(_) | None => classes.push(needed(kind, 0)),
        }
    }
    classes.sort();
    classes.dedup();
    classes
}

/// ffmpeg itself, its demuxer and the buffers between its parts.
const PROGRAM_MIB: f64 = 50.0;
/// Decoded pictures in flight, for each million pixels of the source: some twenty of 1.5 bytes a pixel.
const DECODER_MIB: f64 = 20.0;
/// Four encoder threads take a quarter more than one; engines give a lease no more than that (docs/decisions/leases-at-once.md).
const THREADS: f64 = 1.25;

/// What x264 holds for each million pixels of a picture in flight: frames of lookahead and references, nearly all of it.
///
/// Measured as the largest resident size of the bundled ffmpeg over a 720p ladder (1.56 million pixels in three rungs), one
/// thread; a 1080p ladder gave 188 with `medium`, a 2160p one 171.
fn mib_per_million_pixels(preset: X264Preset) -> f64 {
    match preset {
        X264Preset::Ultrafast => 30.0,
        X264Preset::Superfast => 65.0,
        X264Preset::Veryfast => 90.0,
        X264Preset::Faster => 125.0,
        X264Preset::Fast => 160.0,
        X264Preset::Medium => 190.0,
        X264Preset::Slow => 235.0,
        X264Preset::Slower => 290.0,
        X264Preset::Veryslow => 390.0,
    }
}

/// Memory that encoding these renditions at once takes, in MiB, of a source with this many pixels.
///
/// All rungs run in one process: a 1080p ladder of four (3.64 million pixels) takes 724 MiB with one thread, 913 with four; one
/// of 2160p in six rungs (15.6 million) 2.7 and 3.4 GiB.
pub fn encode_memory_mib(renditions: &[VideoRendition], source_pixels: u64) -> u32 {
    let millions = |pixels: f64| pixels / 1e6;
    let encoders: f64 = renditions
        .iter()
        .map(|made| millions(f64::from(made.width) * f64::from(made.height)) * mib_per_million_pixels(made.preset))
        .sum();
    (PROGRAM_MIB + DECODER_MIB * millions(source_pixels as f64) + encoders * THREADS).ceil() as u32
}

/// The classes of what an engine told about itself.
pub fn served_by(capabilities: &Capabilities) -> Vec<String> {
    let memory_mib = match capabilities.memory_mib {
        0 => USUAL_MEMORY_MIB,
        told => u32::try_from(told).unwrap_or(u32::MAX),
    };
    served(&capabilities.encoders, memory_mib)
}

#[cfg(test)]
mod tests {
    use offpeak_api::profile::Quality;

    use super::*;

    fn ladder(sizes: &[(u32, u32)], preset: X264Preset) -> Vec<VideoRendition> {
        let rung = |(width, height): &(u32, u32)| VideoRendition {
            id: format!("h264-{height}p"),
            width: *width,
            height: *height,
            max_kbps: 1000,
            preset,
            quality: Quality::default(),
        };
        sizes.iter().map(rung).collect()
    }

    const SIZES: [(u32, u32); 6] = [(3840, 2160), (2560, 1440), (1920, 1080), (1280, 720), (854, 480), (640, 360)];

    #[test]
    fn estimates_are_near_what_was_measured_and_not_below() {
        use X264Preset::{Medium, Ultrafast, Veryslow};
        for (from, preset, measured_mib, class) in [
            // With four threads.
            (0, Medium, 3408, "libx264:4g"),
            (2, Medium, 913, "libx264:1g"),
            (5, Medium, 105, "libx264:1g"),
            // With one.
            (3, Medium, 349, "libx264:1g"),
            (2, Veryslow, 1417, "libx264:2g"),
            (2, Ultrafast, 132, "libx264:1g"),
        ] {
            let sizes = &SIZES[from..];
            let source = u64::from(sizes[0].0) * u64::from(sizes[0].1);
            let estimate = encode_memory_mib(&ladder(sizes, preset), source);
            assert!((measured_mib..measured_mib * 3 / 2 + 60).contains(&estimate), "{:?} {preset:?}: {estimate}", sizes[0]);
            assert_eq!(needed(TaskKind::Encode, estimate), class, "{:?} {preset:?}: {estimate}", sizes[0]);
        }
        let of_4k = encode_memory_mib(&ladder(&SIZES[2..], Medium), 3840 * 2160);
        assert_eq!(needed(TaskKind::Encode, of_4k), "libx264:2g", "a 4K source into a 1080p ladder: {of_4k}");
    }

    #[test]
    fn names_of_classes() {
        for (kind, mib, class) in [
            (TaskKind::Probe, 0, "none"),
            (TaskKind::Fetch, 9999, "none"),
            (TaskKind::File, 0, "none"),
            (TaskKind::Audio, 9999, "aac"),
            (TaskKind::Encode, 0, "libx264:1g"),
            (TaskKind::Encode, 1024, "libx264:1g"),
            (TaskKind::Encode, 1025, "libx264:2g"),
            (TaskKind::Encode, 16_384, "libx264:16g"),
            (TaskKind::Encode, u32::MAX, "libx264:16g"),
        ] {
            assert_eq!(needed(kind, mib), class);
        }
    }

    #[test]
    fn what_an_agent_serves() {
        let with =
            |encoders: &[&str], mib| served(&encoders.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), mib).join(" ");
        for (encoders, mib, classes) in [
            (&[][..], 4096, "none"),
            (&["aac"], 4096, "aac none"),
            (&["libx264", "aac", "libx265", "mpeg2video"], 1024, "aac libx264:1g none"),
            (&["libx264"], 0, "libx264:1g none"),
            (&["libx264"], 2048, "libx264:1g libx264:2g none"),
        ] {
            assert_eq!(with(encoders, mib), classes);
        }
        assert_eq!(with(&["libx264", "aac"], u32::MAX).split(' ').count(), 7);
    }

    #[test]
    fn what_an_engine_tells_counts() {
        for (memory_mib, classes) in [
            (0, "libx264:1g none"),
            (300, "libx264:1g none"),
            (2047, "libx264:1g none"),
            (2048, "libx264:1g libx264:2g none"),
            (1 << 40, "libx264:16g libx264:1g libx264:2g libx264:4g libx264:8g none"),
        ] {
            let capabilities = Capabilities {
                engine: "0.1.0".to_owned(),
                ffmpeg: "one build".to_owned(),
                encoders: vec!["libx264".to_owned()],
                cores: 4,
                memory_mib,
                os: "linux".to_owned(),
                sandbox: None,
            };
            assert_eq!(served_by(&capabilities).join(" "), classes, "{memory_mib} MiB");
        }
    }

    #[test]
    fn more_memory_never_serves_less() {
        let encoders = ["libx264".to_owned(), "aac".to_owned()];
        for mib in (0..20_000).step_by(61) {
            let (less, more) = (served(&encoders, mib), served(&encoders, mib + 61));
            assert!(less.iter().all(|class| more.contains(class)));
            let fits = needed(TaskKind::Encode, mib.clamp(0, 16_384));
            let serves = served(&encoders, mib.next_power_of_two()).contains(&fits);
            assert!(serves, "{mib} MiB need {fits}");
        }
    }
}
