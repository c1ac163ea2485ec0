use offpeak_api::{
    media::video_timescale,
    profile::Quality,
    work::{Encode, VideoRendition},
};

use super::{
    graph::{Frames, filter_graph, grid_filters},
    tries::How,
};
use crate::ffmpeg::Argv;

/// Added to the bound for reading: containers may begin a little before their first picture.
const READ_SLACK_SECONDS: f64 = 1.0;

/// Options for reading: where from, and up to where (`bounded`).
fn input(argv: Argv, work: &Encode, how: How, bounded: bool, url: &str, threads: u32) -> Argv {
    let mut argv = argv.option("-threads", threads).arg("-copyts");
    if !work.filters.deinterlace {
        // When pictures change their size midway, a graph made anew would begin at frame 0 again; `scale` copes by itself.
        argv = argv.option("-reinit_filter", 0);
    }
    if let Some(seek) = how.seek {
        argv = argv.arg("-noaccurate_seek").option("-seek_timestamp", 1).option("-ss", seek);
    }
    if let Some(until) = work.read_until_seconds.filter(|_| bounded && how.bounded) {
        let from = how.seek.unwrap_or(work.grid.source_start_seconds);
        argv = argv.option("-t", (until - from).max(0.0) + READ_SLACK_SECONDS);
    }
    argv.input_container(&work.container).option("-i", url)
}

/// One run: the source from `source_url`, each rendition to its address of `sink_urls`.
pub(super) fn encode(work: &Encode, frames: Frames, how: How, source_url: &str, sink_urls: &[String], threads: u32) -> Argv {
    let argv = Argv::new().arg("-nostdin").arg("-hide_banner").option("-loglevel", "warning").arg("-nostats");
    let argv = argv.option("-progress", "pipe:1").option("-stats_period", "0.5").option("-filter_complex_threads", threads);
    let argv = input(argv, work, how, frames.end.is_some(), source_url, threads);
    let mut argv = argv.option("-filter_complex", filter_graph(work, frames, how.fill));
    for (index, (rendition, url)) in work.renditions.iter().zip(sink_urls).enumerate() {
        argv = argv.option("-map", format!("[v{index}]")).option("-fps_mode", "passthrough");
        argv = video_encoder(argv, work, rendition, threads);
        argv = fragments(argv, video_timescale(work.grid.rate)).option("-method", "PUT").arg(url);
    }
    argv
}

fn video_encoder(argv: Argv, work: &Encode, rendition: &VideoRendition, threads: u32) -> Argv {
    let gop = work.grid.frames_per_segment;
    let argv = argv.option("-c:v", "libx264").option("-preset", rendition.preset.as_str()).option("-threads", threads);
    let argv = match rendition.quality {
        Quality::CappedCrf { crf } => argv
            .option("-crf", crf)
            .option("-maxrate", format!("{}k", rendition.max_kbps))
            .option("-bufsize", format!("{}k", u64::from(rendition.max_kbps) * 2)),
        Quality::Lossless => argv.option("-qp", 0),
    };
    // One closed GOP a segment, beginning at the span's first frame.
    argv.option("-g", gop)
        .option("-keyint_min", gop)
        .option("-sc_threshold", 0)
        .option("-flags", "+cgop")
        .option("-tag:v", "avc1")
}

/// Fragments that begin with keyframes, with absolute times, the encoder's delay in one constant edit.
fn fragments(argv: Argv, timescale: u32) -> Argv {
    const FLAGS: &str = "+frag_keyframe+empty_moov+default_base_moof+frag_discont+skip_trailer+delay_moov";
    argv.option("-movflags", FLAGS)
        .option("-use_editlist", 1)
        .option("-avoid_negative_ts", "disabled")
        .option("-video_track_timescale", timescale)
        .option("-map_metadata", -1)
        .option("-map_chapters", -1)
        .option("-f", "mp4")
}

/// A run that only tells the index of every frame: small pictures, and one line for each on standard output.
pub(super) fn count_frames(work: &Encode, how: How, source_url: &str, threads: u32) -> Argv {
    let argv = Argv::new().arg("-nostdin").arg("-hide_banner").option("-loglevel", "warning").arg("-nostats");
    let argv = input(argv, work, how, false, source_url, threads);
    let graph = format!("[0:{}]{},scale=16:16[v]", work.stream, grid_filters(work, how.seek.is_none()));
    argv.option("-filter_complex", graph)
        .option("-map", "[v]")
        .option("-fps_mode", "passthrough")
        .option("-f", "framecrc")
        .arg("pipe:1")
}
