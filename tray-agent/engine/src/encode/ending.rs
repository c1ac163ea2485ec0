use tokio::io::{AsyncBufReadExt, BufReader};

use super::{argv, pass::Pass, tries::How};
use crate::{
    ffmpeg::{Ended, Process, cannot_start, explain},
    task::TaskError,
};

/// Counts the presentation's frames, for a span that turned out to begin at or after its end.
///
/// Reads from where the span would have been read, and from further back as long as no frame comes at all.
pub(super) async fn find(pass: &Pass<'_>) -> Result<Option<u64>, TaskError> {
    let seeks = &pass.work.seek_points;
    let tried = seeks.iter().position(|seek| *seek == pass.how.seek).unwrap_or(0);
    for seek in seeks.get(tried..).unwrap_or_default() {
        let how = How { seek: *seek, bounded: false, fill: false };
        if let Some(end_frame) = last_frame(pass, how).await? {
            return Ok(Some(end_frame + 1));
        }
    }
    if pass.from == 0 {
        return Err(TaskError::source("no_frames", "The source says that it has pictures, but none of them can be decoded."));
    }
    Ok(None)
}

async fn last_frame(pass: &Pass<'_>, how: How) -> Result<Option<u64>, TaskError> {
    let tools = &pass.ctx.tools;
    let argv = argv::count_frames(pass.work, how, &pass.loopback.source_url(), tools.threads);
    let mut process =
        Process::start(pass.ffmpeg(argv), &pass.ctx.desk).await.map_err(|error| cannot_start(&tools.ffmpeg, &error))?;
    let lost = |error| TaskError::agent("program_lost", format!("cannot read what ffmpeg prints: {error}"));
    let read = async {
        let mut last = None;
        if let Some(stdout) = process.take_stdout() {
            let mut lines = BufReader::new(stdout).lines();
            while let Some(line) = lines.next_line().await.map_err(lost)? {
                last = frame_of(&line).or(last);
            }
        }
        let ended = process.wait().await.map_err(lost)?;
        Ok::<_, TaskError>((last, ended))
    };
    let (last, ended) = tokio::select! {
        read = read => read?,
        () = pass.ctx.stop.cancelled() => return Err(TaskError::Stopped),
    };
    pass.loopback.check()?;
    match ended {
        Ended::Well => Ok(last),
        Ended::Badly { .. } | Ended::Killed | Ended::OverTime => Err(explain(ended, process.log())),
    }
}

/// The frame's index in a line of ffmpeg's `framecrc`: stream, dts, pts, duration, size, checksum.
fn frame_of(line: &str) -> Option<u64> {
    if line.starts_with('#') { None } else { line.split(',').nth(2)?.trim().parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::frame_of;

    #[test]
    fn frames_are_read_from_checksum_lines() {
        assert_eq!(frame_of("0,        299,        299,        1,      384, 0x5bb87a93"), Some(299));
        assert_eq!(frame_of("#tb 0: 1/25"), None);
        assert_eq!(frame_of(""), None);
    }
}
