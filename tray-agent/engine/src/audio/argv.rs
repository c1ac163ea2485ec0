use offpeak_api::work::{AAC_FRAME_SAMPLES, AAC_FRAMES_PER_FRAGMENT, AUDIO_SAMPLE_RATE, Audio, SourceLimits};

use crate::ffmpeg::Argv;

/// The length of a fragment in ffmpeg's microseconds: a whole number of them, so that ffmpeg cuts after exactly that many
/// AAC frames.
const FRAGMENT_MICROSECONDS: u64 = {
    let samples = AAC_FRAME_SAMPLES as u64 * AAC_FRAMES_PER_FRAGMENT as u64 * 1_000_000;
    assert!(samples.is_multiple_of(AUDIO_SAMPLE_RATE as u64));
    samples / AUDIO_SAMPLE_RATE as u64
};

/// The whole track, from T0 on. `aresample` fills holes, and the time before a late start, with silence.
pub(super) fn encode(work: &Audio, source_url: &str, sink_url: &str, threads: u32) -> Argv {
    const FLAGS: &str = "+empty_moov+default_base_moof+skip_trailer+delay_moov";
    let filters =
        format!("asetpts=PTS-({})/TB,aresample={AUDIO_SAMPLE_RATE}:async=1:first_pts=0", work.grid.source_start_seconds);
    Argv::new()
        .arg("-nostdin")
        .arg("-hide_banner")
        .option("-loglevel", "warning")
        .arg("-nostats")
        .option("-threads", threads)
        .arg("-copyts")
        .input_container(&work.container)
        .option("-i", source_url)
        .option("-map", format!("0:{}", work.stream))
        .option("-af", filters)
        .option("-c:a", "aac")
        .option("-profile:a", "aac_low")
        .option("-b:a", format!("{}k", work.bitrate_kbps))
        .option("-ac", work.channels)
        .option("-ar", AUDIO_SAMPLE_RATE)
        // No film is longer; a timestamp out of bounds must not become years of silence.
        .option("-t", SourceLimits::default().max_seconds)
        // Never `frag_discont`: with it the priming edit is gone and the first time is below zero.
        .option("-movflags", FLAGS)
        .option("-use_editlist", 1)
        .option("-avoid_negative_ts", "disabled")
        .option("-frag_duration", FRAGMENT_MICROSECONDS)
        .option("-map_metadata", -1)
        .option("-map_chapters", -1)
        .option("-f", "mp4")
        .option("-method", "PUT")
        .arg(sink_url)
}
