//! The yardstick: one ffmpeg command that makes a profile's ladder into HLS, with the encoder settings that engines use.

use std::{fs, path::Path, process::Command, time::Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Cost;
use crate::{paths, platform, shell};

/// The test film's frame rate.
const FRAMES_A_SECOND: f64 = 25.0;

/// What of a profile the command needs.
#[derive(Debug)]
pub struct Ladder {
    /// Height and cap in kbit/s.
    rungs: Vec<(u64, u64)>,
    preset: String,
    crf: f64,
    frames_per_segment: u64,
    segment_seconds: f64,
    audio_kbps: u64,
}

impl Ladder {
    /// From `GET /v1/profiles/{name}`.
    pub fn of_profile(entry: &Value) -> Result<Self> {
        let profile = &entry["profile"];
        let ladder = profile["video"]["ladder"].as_array().context("the profile has no ladder")?;
        let rung = |rung: &Value| Some((rung["height"].as_u64()?, rung["max_kbps"].as_u64()?));
        let rungs = ladder.iter().map(rung).collect::<Option<Vec<_>>>().context("a rung of the profile has no height")?;
        let segment_seconds = profile["segment_seconds"].as_f64().context("the profile has no segment length")?;
        Ok(Self {
            rungs,
            preset: profile["video"]["preset"].as_str().context("the profile has no preset")?.to_owned(),
            crf: profile["video"]["quality"]["crf"].as_f64().context("the profile has no CRF")?,
            frames_per_segment: (segment_seconds * FRAMES_A_SECOND).round() as u64,
            segment_seconds,
            audio_kbps: profile["audio"]["bitrate_kbps"].as_u64().context("the profile has no audio bit rate")?,
        })
    }

    fn command(&self, film: &Path, folder: &Path) -> Command {
        let mut ffmpeg = Command::new(paths::ffmpeg());
        ffmpeg.args(["-nostdin", "-v", "error", "-y", "-i"]).arg(film);
        let labels: String = (0..self.rungs.len()).map(|n| format!("[s{n}]")).collect();
        let mut graph = format!("[0:v:0]fps={FRAMES_A_SECOND},split={}{labels}", self.rungs.len());
        for (n, (height, _)) in self.rungs.iter().enumerate() {
            let width = height * 16 / 9 / 2 * 2;
            // 480 lines of 16:9 are 853.3 wide; engines take the nearest even number, too.
            let width = if width * 9 == height * 16 { width } else { (*height as f64 * 16.0 / 9.0 / 2.0).round() as u64 * 2 };
            graph += &format!(";[s{n}]scale={width}:{height},format=yuv420p,setsar=1[v{n}]");
        }
        ffmpeg.args(["-filter_complex", &graph]);
        for n in 0..self.rungs.len() {
            ffmpeg.args(["-map", &format!("[v{n}]")]);
        }
        ffmpeg.args(["-map", "0:a:0"]);
        let gop = self.frames_per_segment.to_string();
        ffmpeg.args(["-c:v", "libx264", "-preset", &self.preset, "-crf", &self.crf.to_string()]);
        for (n, (_, kbps)) in self.rungs.iter().enumerate() {
            ffmpeg.args([&format!("-maxrate:v:{n}"), &format!("{kbps}k"), &format!("-bufsize:v:{n}"), &format!("{}k", kbps * 2)]);
        }
        ffmpeg.args(["-g", &gop, "-keyint_min", &gop, "-sc_threshold", "0", "-flags:v", "+cgop"]);
        ffmpeg.args(["-c:a", "aac", "-b:a", &format!("{}k", self.audio_kbps), "-ac", "2", "-ar", "48000"]);
        let variants = (0..self.rungs.len()).map(|n| format!("v:{n},agroup:sound"));
        let variants: Vec<String> = variants.chain(["a:0,agroup:sound,default:yes".to_owned()]).collect();
        ffmpeg.args(["-f", "hls", "-hls_segment_type", "fmp4", "-hls_playlist_type", "vod"]);
        ffmpeg.args(["-hls_time", &self.segment_seconds.to_string(), "-master_pl_name", "multivariant.m3u8"]);
        ffmpeg.args(["-var_stream_map", &variants.join(" ")]).arg(folder.join("%v/media.m3u8"));
        ffmpeg
    }
}

pub fn run(film: &Path, ladder: &Ladder) -> Result<Cost> {
    let folder = paths::scratch().join("bench/plain");
    fs::create_dir_all(&folder)?;
    let cpu = || platform::children_cpu_seconds().context("CPU time cannot be measured on this platform");
    let (before, since) = (cpu()?, Instant::now());
    shell::run(&mut ladder.command(film, &folder))?;
    let cost = Cost { wall_seconds: since.elapsed().as_secs_f64(), cpu_seconds: cpu()? - before };
    fs::remove_dir_all(&folder)?;
    Ok(cost)
}
