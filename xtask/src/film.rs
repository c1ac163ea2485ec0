//! The test film: one minute of 1080p with sound, made by the pinned ffmpeg, the same for everybody.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result};

use crate::{paths, say, shell};

/// Goes up with every change of the recipe, so that old films are not taken for new ones.
const RECIPE: u32 = 1;

/// A slow zoom with grain (soft detail that moves, as a camera's does) and a hard cut every 7 s; over it a sharp test card
/// with a running clock. A white square flashes with every beep, once a second, so that eyes and ears can tell whether sound
/// and picture are together.
const PICTURE: &str = "\
    [0]scale=1920:1080:flags=bicubic,negate=enable='gte(mod(t,14),7)',noise=c0s=3:c0f=t,format=yuv420p[back];\
    [back][1]overlay=x='(W-w)/2*(1+sin(t*0.7))':y='(H-h)/2*(1+cos(t*0.9))',\
    drawbox=enable='lt(mod(t,1),0.08)':x=iw-160:y=40:w=120:h=120:color=white:t=fill[v];\
    [2]volume=0.4,aformat=channel_layouts=stereo[a]";

/// The film's path; makes it when it is not there.
pub fn one_minute() -> Result<PathBuf> {
    let path = paths::scratch().join("films").join(format!("test-film-{RECIPE}.mp4"));
    if path.is_file() {
        return Ok(path);
    }
    let since = Instant::now();
    say::step("Making a one-minute 1080p test film with sound (once; VIDEO=path takes a film of yours instead)");
    make(&path, 60)?;
    say::took(since);
    Ok(path)
}

fn make(path: &Path, seconds: u32) -> Result<()> {
    let folder = path.parent().context("no folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let beside = folder.join(format!("making-{}.mp4", std::process::id()));
    let mut ffmpeg = Command::new(paths::ffmpeg());
    ffmpeg.args(["-nostdin", "-v", "error", "-y"]);
    for source in [
        "mandelbrot=s=480x270:r=25:maxiter=200:start_scale=2.6:end_scale=0.004:end_pts=1500:inner=period",
        "testsrc2=s=640x360:r=25",
        "sine=f=330:beep_factor=3:r=48000",
    ] {
        ffmpeg.args(["-f", "lavfi", "-i", source]);
    }
    ffmpeg.args(["-filter_complex", PICTURE, "-map", "[v]", "-map", "[a]", "-t", &seconds.to_string()]);
    ffmpeg.args(["-c:v", "libx264", "-preset", "superfast", "-crf", "22", "-g", "250", "-c:a", "aac", "-b:a", "160k"]);
    ffmpeg.args(["-movflags", "+faststart"]).arg(&beside);
    let made = shell::output(&mut ffmpeg).context("cannot make the test film");
    if made.is_err() {
        // What is there of it is no film; that it may not even exist is no second error.
        let _absent = fs::remove_file(&beside);
    }
    made?;
    fs::rename(&beside, path).with_context(|| format!("cannot write {}", path.display()))
}
