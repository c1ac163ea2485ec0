use std::fmt::Write;

use offpeak_api::work::Encode;

/// Frames of the grid, half-open; without an end, up to the end of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frames {
    pub first: u64,
    pub end: Option<u64>,
}

/// The filter graph that makes these frames in every rendition: outputs are labelled `v0`, `v1` …
///
/// `fps` puts frames on a grid whose origin is source time T0, so that `trim` by index is exact wherever reading began.
/// With `fill`, the last picture is repeated for as long as frames are missing.
pub fn filter_graph(work: &Encode, frames: Frames, fill: bool) -> String {
    let mut graph = format!("[0:{}]{},", work.stream, grid_filters(work, frames.first == 0));
    if fill {
        graph.push_str("tpad=stop=-1:stop_mode=clone,");
    }
    let _ = write!(graph, "trim=start_pts={}", frames.first);
    if let Some(end) = frames.end {
        let _ = write!(graph, ":end_pts={end}");
    }
    if work.filters.tone_map {
        // To linear light at a reference white of 100 cd/m², highlights rolled off, and back to BT.709 in 8 bits. Without
        // looking at peaks over time, which would make pictures depend on where a span begins.
        graph.push_str(",zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0");
        graph.push_str(",zscale=t=bt709:m=bt709:r=tv,format=yuv420p");
    }
    let _ = write!(graph, ",split={}", work.renditions.len());
    for index in 0..work.renditions.len() {
        let _ = write!(graph, "[s{index}]");
    }
    for (index, rendition) in work.renditions.iter().enumerate() {
        let (width, height) = (rendition.width, rendition.height);
        let _ = write!(graph, ";[s{index}]scale={width}:{height},format=yuv420p,setsar=1[v{index}]");
    }
    graph
}

/// From source pictures to the frame grid. A run from the start of the presentation repeats the first picture back to
/// frame 0, for video that starts after sound.
pub(super) fn grid_filters(work: &Encode, from_start: bool) -> String {
    let mut filters = format!("setpts=PTS-({})/TB", work.grid.source_start_seconds);
    if work.filters.deinterlace {
        // One frame for each frame; those that are marked as progressive stay as they are.
        filters.push_str(",bwdif=mode=send_frame:deint=interlaced");
    }
    let _ = write!(filters, ",fps={}", work.grid.rate);
    if from_start {
        filters.push_str(":start_time=0");
    }
    filters
}
