//! Reads what a source is: its streams, when they really begin and end, how its frames are spaced, where its keyframes are.
//!
//! In: a source's address. Out: [`Facts`], or a refusal that blames the source and tells a person what to do. ffprobe reads
//! through the loopback, twice: the headers, then every packet's times, line by line in constant memory. What must hold:
//! nothing that a file claims is believed where its packets say otherwise, and no file can hang or fill the machine.

mod gaps;
mod headers;
mod packets;
mod refusal;
#[cfg(test)]
mod tests;

use std::time::Duration;

use offpeak_api::{
    facts::{Facts, Warning},
    lease::Progress,
    work,
};
use tokio::io::AsyncReadExt;

use self::{
    headers::{Headers, Stream},
    packets::{AudioPackets, Packet, VideoPackets},
};
use crate::{
    ffmpeg::{ALIGNMENT_PIXELS, Argv, Captured, Ended, FORMATS, LogTail, Process, Run, capture},
    loopback::Loopback,
    sandbox::Limits,
    task::{TaskContext, TaskError},
};

/// Demuxers of sources: those of every step, and the two picture formats that can move.
const EXTRA_FORMATS: &str = "gif,apng";
/// Headers come from a few megabytes; on a slow network and a busy machine that takes a while.
const HEADERS_LIMIT: Duration = Duration::from_secs(180);
/// JSON of a file with hundreds of streams.
const LARGEST_HEADERS: usize = 4 << 20;
/// Neither a line nor a byte of the source for so long: ffprobe hangs. The loopback gives up on a dead source sooner.
const STALL_LIMIT: Duration = Duration::from_secs(150);
/// Reading every packet may take so long, an outage of the server included, and …
const PACKETS_LIMIT: Duration = Duration::from_secs(240);
/// … a second more for each of these: no office network is slower.
const SLOWEST_BYTES_PER_SECOND: u64 = 512 << 10;
/// Read by this program itself, to tell text from noise.
const HEAD_BYTES: u64 = 64 << 10;
/// Longer lines are no packets.
const LONGEST_LINE: usize = 2048;
/// A presentation that ends this much before its header's promise is reported, if it is also …
const EARLY_SECONDS: f64 = 1.0;
/// … this share of the whole.
const EARLY_SHARE: f64 = 0.02;

/// Probes the source of `ctx`, whose length and limits are in `work`.
///
/// Refusals blame the source: `empty_source`, `not_media`, `no_index`, `still_image`, `encrypted`, `no_streams`, `too_many_streams`,
/// `too_many_pixels`, `too_long`, `implausible_duration`, `unsupported_format`, `unreadable`. What this machine or its
/// network did wrong blames the agent: `source_unreadable`, `probe_slow`, `probe_crashed` and those of the loopback.
pub async fn probe(ctx: &TaskContext, work: &work::Probe) -> Result<Facts, TaskError> {
    if work.source.bytes == 0 {
        return Err(refusal::empty());
    }
    let loopback = Loopback::start(&ctx.tools.sandbox, &ctx.http, &ctx.server, ctx.source.clone()).await?;
    let (headers, log) = read_headers(ctx, work, &loopback).await?;
    // Before anything else is believed: the times of a scrambled stream are noise.
    if headers.format.format_name.as_deref() == Some("mpegts") && refusal::is_scrambled_ts(&head(ctx, work, &loopback).await?) {
        return Err(refusal::encrypted());
    }
    refusal::check_headers(&headers, work.source.bytes, &work.limits)?;
    if headers.video().is_none() && headers.audio().is_none() {
        return Err(refusal::nothing_to_encode(&headers, &log, &work.limits));
    }
    let found = read_packets(ctx, work, &loopback, &headers).await?;
    gather(ctx, work, &loopback, &headers, found).await
}

async fn read_headers(ctx: &TaskContext, work: &work::Probe, loopback: &Loopback) -> Result<(Headers, LogTail), TaskError> {
    let argv = limited(work).option("-of", "json").option("-show_entries", headers::ENTRIES).arg("-i").arg(loopback.source_url());
    let output = bounded(ctx, loopback, argv, "its headers").await?;
    let headers: Headers = serde_json::from_str(&String::from_utf8_lossy(&output.stdout)).unwrap_or_default();
    if output.ended != Ended::Well || headers.format.format_name.is_none() {
        let head = head(ctx, work, loopback).await?;
        return Err(refusal::unopened(&output.log, &head, &work.limits));
    }
    refusal::check_log(&output.log, &work.limits)?;
    Ok((headers, output.log))
}

fn ffprobe<'a>(ctx: &'a TaskContext, loopback: &'a Loopback, argv: Argv, limits: Limits) -> Run<'a> {
    Run { sandbox: &ctx.tools.sandbox, program: &ctx.tools.ffprobe, argv, limits, loopback: Some(loopback) }
}

/// How long reading every packet may take.
fn packets_limit(work: &work::Probe) -> Duration {
    PACKETS_LIMIT + Duration::from_secs(work.source.bytes / SLOWEST_BYTES_PER_SECOND)
}

/// Options that every ffprobe run begins with.
fn limited(work: &work::Probe) -> Argv {
    let argv = Argv::new().arg("-hide_banner").option("-v", "warning").input_limits(&format!("{FORMATS},{EXTRA_FORMATS}"));
    argv.option("-max_pixels", work.limits.max_pixels + ALIGNMENT_PIXELS)
}

/// A short ffprobe run, under a time limit.
async fn bounded(ctx: &TaskContext, loopback: &Loopback, argv: Argv, what: &str) -> Result<Captured, TaskError> {
    let run = capture(ffprobe(ctx, loopback, argv, Limits::within(HEADERS_LIMIT)), LARGEST_HEADERS, &ctx.desk, &ctx.stop);
    let output = ctx.desk.timeout(HEADERS_LIMIT, run).await;
    loopback.check()?;
    let output = output.ok_or_else(|| hangs(what))??;
    crashed(output.ended, &output.log)?;
    Ok(output)
}

fn hangs(what: &str) -> TaskError {
    let message = format!("Reading {what} does not end: the file is damaged. Export it again, or convert it to MP4.");
    TaskError::source("unreadable", message)
}

fn crashed(ended: Ended, log: &LogTail) -> Result<(), TaskError> {
    match ended {
        Ended::Well | Ended::Badly { .. } => Ok(()),
        Ended::Killed => Err(TaskError::agent("probe_crashed", "ffprobe crashed on the file").with_log(log.lines())),
        Ended::OverTime => Err(hangs("it").with_log(log.lines())),
    }
}

/// The source's first bytes.
async fn head(ctx: &TaskContext, work: &work::Probe, loopback: &Loopback) -> Result<Vec<u8>, TaskError> {
    let read = tokio::select! {
        read = loopback.read(0..work.source.bytes.min(HEAD_BYTES)) => read,
        () = ctx.stop.cancelled() => return Err(TaskError::Stopped),
    };
    loopback.check()?;
    read.map_err(|error| TaskError::agent("source_unreadable", format!("cannot read the source: {error}")))
}

/// What the packets of the chosen streams told.
struct Found {
    video: Option<VideoPackets>,
    audio: Option<AudioPackets>,
    log: LogTail,
}

impl Found {
    fn add(&mut self, line: &[u8], video: Option<u32>, audio: Option<u32>) -> Result<(), TaskError> {
        let Some(packet) = std::str::from_utf8(line).ok().and_then(Packet::read) else { return Ok(()) };
        let chosen = Some(packet.stream) == video || Some(packet.stream) == audio;
        if chosen && packet.encrypted {
            return Err(refusal::encrypted());
        }
        match (&mut self.video, &mut self.audio) {
            (Some(packets), _) if Some(packet.stream) == video => packets.add(&packet),
            (_, Some(packets)) if Some(packet.stream) == audio => packets.add(&packet),
            _ => {}
        }
        Ok(())
    }

    /// Length so far.
    fn seconds(&self) -> f64 {
        let video = self.video.as_ref().map_or(0.0, VideoPackets::seconds);
        video.max(self.audio.as_ref().map_or(0.0, AudioPackets::seconds))
    }
}

async fn read_packets(ctx: &TaskContext, work: &work::Probe, loopback: &Loopback, headers: &Headers) -> Result<Found, TaskError> {
    let entries = "packet=stream_index,pts,dts,duration,flags:packet_side_data=side_data_type,skip_samples,discard_padding";
    let argv = limited(work).option("-of", "csv=p=0").option("-show_entries", entries).arg("-i").arg(loopback.source_url());
    let limits = Limits::within(packets_limit(work));
    let mut process = Process::start(ffprobe(ctx, loopback, argv, limits), &ctx.desk)
        .await
        .map_err(|error| TaskError::agent("program_missing", format!("cannot start ffprobe: {error}")))?;
    let mut found = Found {
        video: headers.video().map(|stream| VideoPackets::new(stream.tick_seconds())),
        audio: headers.audio().map(|stream| AudioPackets::new(stream.tick_seconds(), stream.sample_rate())),
        log: process.log().clone(),
    };
    let streams = (headers.video().map(|stream| stream.index), headers.audio().map(|stream| stream.index));
    let result = tokio::select! {
        result = follow(ctx, work, loopback, &mut process, &mut found, streams) => result,
        () = ctx.stop.cancelled() => Err(TaskError::Stopped),
    };
    if result.is_err() {
        process.kill().await;
    }
    // A source that could not be read looks to ffprobe like one that ends.
    match &result {
        Err(TaskError::Stopped | TaskError::Disturbed(_)) => {}
        Ok(()) | Err(TaskError::Failed(_)) => loopback.check()?,
    }
    result?;
    let ended = process.wait().await;
    let ended = ended.map_err(|error| TaskError::agent("program_lost", format!("cannot wait for ffprobe: {error}")))?;
    crashed(ended, process.log())?;
    Ok(found)
}

/// Reads ffprobe's lines to their end.
async fn follow(
    ctx: &TaskContext,
    work: &work::Probe,
    loopback: &Loopback,
    process: &mut Process,
    found: &mut Found,
    (video, audio): (Option<u32>, Option<u32>),
) -> Result<(), TaskError> {
    let Some(mut stdout) = process.take_stdout() else {
        return Err(TaskError::agent("program_output", "ffprobe has no output"));
    };
    let deadline = ctx.desk.worked() + packets_limit(work);
    let (mut line, mut chunk) = (Vec::new(), vec![0; 64 << 10]);
    let mut bytes_before = loopback.source_bytes();
    loop {
        let wait = STALL_LIMIT.min(deadline.saturating_sub(ctx.desk.worked()));
        let read = match ctx.desk.timeout(wait, stdout.read(&mut chunk)).await {
            Some(read) => {
                read.map_err(|error| TaskError::agent("program_output", format!("cannot read from ffprobe: {error}")))?
            }
            None if ctx.desk.worked() >= deadline => {
                let message = "Reading the whole file took too long: the network to storage is slow, or the file is damaged.";
                return Err(TaskError::agent("probe_slow", message));
            }
            None if loopback.source_bytes() > bytes_before => {
                bytes_before = loopback.source_bytes();
                continue;
            }
            None => return Err(hangs("its packets")),
        };
        if read == 0 {
            return found.add(&line, video, audio);
        }
        for &byte in &chunk[..read] {
            if byte == b'\n' {
                found.add(&line, video, audio)?;
                line.clear();
            } else if line.len() < LONGEST_LINE {
                line.push(byte);
            }
        }
        let seconds = found.seconds();
        if seconds > work.limits.max_seconds {
            return Err(refusal::too_long(seconds, &work.limits));
        }
        if ctx.desk.worked() >= deadline {
            return Err(TaskError::agent("probe_slow", "Reading the whole file took too long: the network to storage is slow."));
        }
        bytes_before = loopback.source_bytes();
        ctx.progress.set(Progress {
            bytes: bytes_before.min(work.source.bytes),
            total_bytes: Some(work.source.bytes),
            ..Progress::default()
        });
    }
}

/// Puts together what headers and packets say.
async fn gather(
    ctx: &TaskContext,
    work: &work::Probe,
    loopback: &Loopback,
    headers: &Headers,
    found: Found,
) -> Result<Facts, TaskError> {
    let mut warnings = Vec::new();
    let mut video = found.video.and_then(VideoPackets::finish).zip(headers.video());
    let audio = found.audio.and_then(AudioPackets::finish).zip(headers.audio());
    if let Some((times, _)) = &video
        && times.frames == 1
    {
        if audio.is_none() {
            return Err(refusal::still_image());
        }
        // A cover that is not marked as one: what remains is sound.
        video = None;
        let message = "The file's only picture is a still; the stream has its sound alone.".to_owned();
        warnings.push(Warning { code: "still_picture_left_out".to_owned(), message });
    }
    let video = match video {
        Some((times, stream)) => {
            let interlaced = match stream.interlaced() {
                Some(interlaced) => interlaced,
                None => decoded_interlaced(ctx, work, loopback, stream).await?,
            };
            Some(stream.video_facts(times, interlaced))
        }
        None => None,
    };
    let audio = audio.map(|((start, end), stream)| stream.audio_facts(start, end));
    if video.is_none() && audio.is_none() {
        return Err(refusal::no_streams().with_log(found.log.lines()));
    }
    let container = headers.format.format_name.clone().unwrap_or_default();
    let mut facts = Facts { container, bytes: work.source.bytes, video, audio, warnings };

    let seconds = facts.end_seconds() - facts.start_seconds();
    refusal::check_plausible(seconds, work.source.bytes)?;
    if seconds > work.limits.max_seconds {
        return Err(refusal::too_long(seconds, &work.limits));
    }
    facts.warnings.extend(ends_early(headers, &facts));
    ctx.progress.set(Progress { bytes: work.source.bytes, total_bytes: Some(work.source.bytes), ..Progress::default() });
    Ok(facts)
}

/// A warning when the packets end well before the headers' promise.
fn ends_early(headers: &Headers, facts: &Facts) -> Option<Warning> {
    let promised = headers.promised_end_seconds()? - facts.start_seconds();
    let held = facts.end_seconds() - facts.start_seconds();
    let missing = promised - held;
    (missing > EARLY_SECONDS && missing > promised * EARLY_SHARE).then(|| Warning {
        code: "source_ends_early".to_owned(),
        message: format!(
            "The header says {promised:.0} s, the file holds {held:.0} s: it was cut off. What is there is encoded; upload the \
             whole file again if the rest is needed."
        ),
    })
}

/// Some streams tell only in their pictures whether they are interlaced: decodes a few.
async fn decoded_interlaced(
    ctx: &TaskContext,
    work: &work::Probe,
    loopback: &Loopback,
    stream: &Stream,
) -> Result<bool, TaskError> {
    match stream.codec_name.as_deref() {
        Some("mpeg2video" | "h264" | "vc1" | "mpeg4" | "dvvideo" | "hevc") => {}
        // No other codec in use has interlaced pictures.
        Some(_) | None => return Ok(false),
    }
    let argv = limited(work)
        .option("-of", "csv=p=0")
        .option("-select_streams", stream.index)
        .option("-read_intervals", "%+#40")
        .option("-show_entries", "frame=interlaced_frame")
        .arg("-i")
        .arg(loopback.source_url());
    let output = bounded(ctx, loopback, argv, "its first pictures").await?;
    let text = String::from_utf8_lossy(&output.stdout);
    let count = |flag: char| text.lines().filter(|line| line.starts_with(flag)).count();
    Ok(count('1') > count('0'))
}
