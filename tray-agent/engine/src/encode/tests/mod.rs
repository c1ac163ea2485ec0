use std::path::Path;

use offpeak_api::{
    media::{FrameGrid, Ratio},
    profile::{Quality, X264Preset},
    work::{Encode, Rows, SourceAddress, VideoFilters, VideoRendition},
};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::{EncodeEnd, Frames, encode, filter_graph};
use crate::{
    task::{InitHeader, Piece, TaskEnd, TaskError},
    testing::{self, Delivery, ffmpeg_in},
};

mod exact;
mod logged;
#[cfg(target_os = "linux")]
mod standing_still;
mod unruly;

const FRAMES_PER_SEGMENT: u32 = 50;
const MP4: &str = "mov,mp4,m4a,3gp,3g2,mj2";

/// A clip in a folder of its own, and the work that encodes all of it.
struct Clip {
    folder: TempDir,
    work: Encode,
}

fn lossless(width: u32, height: u32) -> VideoRendition {
    let id = format!("h264-{height}p");
    VideoRendition { id, width, height, max_kbps: 1000, preset: X264Preset::Ultrafast, quality: Quality::Lossless }
}

impl Clip {
    /// Makes `name` with ffmpeg. `start`: T0, the earliest start of its streams.
    fn make(arguments: &str, name: &str, container: &str, rate: Ratio, start: f64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        ffmpeg_in(folder.path(), &format!("{arguments} {name}"));
        std::fs::rename(folder.path().join(name), folder.path().join("clip")).expect("the clip");
        let grid = FrameGrid { rate, frames_per_segment: FRAMES_PER_SEGMENT, source_start_seconds: start };
        let work = Encode {
            source: SourceAddress { url: String::new(), bytes: 0, expires_in_seconds: 3600 },
            container: container.to_owned(),
            stream: 0,
            grid,
            rows: Rows { first: 0, cursor: 0, last: 5 },
            to_end: true,
            seek_points: vec![None],
            read_until_seconds: None,
            filters: VideoFilters::default(),
            renditions: vec![lossless(320, 180), lossless(160, 90)],
        };
        Self { folder, work }
    }

    fn h264(more: &str, name: &str, container: &str, start: f64) -> Self {
        let source = "-f lavfi -i testsrc2=size=320x180:rate=25:duration=10.12 -pix_fmt yuv420p -c:v libx264 -preset veryfast";
        Self::make(&format!("{source} {more}"), name, container, Ratio::new(25, 1), start)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Presentation times of keyframes.
    fn keyframes(&self) -> Vec<f64> {
        let output = std::process::Command::new(testing::tools().ffprobe)
            .args(["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0", "clip"])
            .current_dir(self.path())
            .output()
            .expect("ffprobe runs");
        let text = String::from_utf8(output.stdout).expect("text");
        let keyframes = text.lines().filter(|line| line.contains(",K"));
        keyframes.map(|line| line.split(',').next().and_then(|time| time.parse().ok()).expect("a time")).collect()
    }

    /// The work for rows `[first, last)`, read from `keyframes_back` keyframes before the nearest one, then further back.
    fn span(&self, first: u32, last: u32, to_end: bool, keyframes_back: usize) -> Encode {
        let grid = &self.work.grid;
        let begin = grid.source_start_seconds + grid.segment_start_seconds(first);
        let keyframes: Vec<f64> = self.keyframes().into_iter().filter(|at| *at <= begin).collect();
        let seeks = keyframes.iter().rev().skip(keyframes_back).map(|at| Some(at + 0.0005));
        let seek_points = if first == 0 { vec![None] } else { seeks.chain([None]).collect() };
        let until = grid.source_start_seconds + grid.segment_start_seconds(last) + 2.0;
        Encode {
            rows: Rows { first, cursor: first, last },
            to_end,
            seek_points,
            read_until_seconds: (!to_end).then_some(until),
            ..self.work.clone()
        }
    }

    async fn encode(&self, work: &Encode, delivery: Delivery) -> Result<(Vec<Piece>, EncodeEnd), TaskError> {
        let data = std::fs::read(self.path().join("clip")).expect("the clip");
        let source = testing::serve(data, delivery).await;
        let (ctx, _orders) = testing::context(source, TaskEnd { last: work.rows.last, to_end: work.to_end });
        let (out, mut pieces) = mpsc::channel(2);
        let collect = async {
            let mut all = Vec::new();
            while let Some(piece) = pieces.recv().await {
                all.push(piece);
            }
            all
        };
        let (end, pieces) = tokio::join!(encode(&ctx, work, out), collect);
        Ok((pieces, end?))
    }

    /// Hashes of the frames of one unsplit run of the same filters, in rendition `index`.
    fn whole(&self, index: usize) -> Vec<String> {
        let graph = filter_graph(&self.work, Frames { first: 0, end: None }, false);
        let outputs = (0..self.work.renditions.len()).map(|other| match other == index {
            true => format!("-map [v{index}] -fps_mode passthrough -f framemd5 -"),
            false => format!("-map [v{other}] -f null -"),
        });
        let outputs: Vec<String> = outputs.collect();
        hashes(&ffmpeg_in(
            self.path(),
            &format!("-copyts -reinit_filter 0 -i clip -filter_complex {graph} {}", outputs.join(" ")),
        ))
    }

    /// Hashes of the frames of segments joined as a player joins them; their times must be those of the grid.
    fn joined(&self, pieces: &[Piece], index: usize) -> Vec<String> {
        let name = &self.work.renditions[index].id;
        let mut init = None;
        let mut film = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Init { rendition, data, .. } if rendition == name => init = init.or(Some(data)),
                Piece::Segment { rendition, data, .. } if rendition == name => film.push(data),
                Piece::Init { .. } | Piece::Segment { .. } => {}
            }
        }
        let film: Vec<u8> = init.into_iter().chain(film).flatten().copied().collect();
        std::fs::write(self.path().join("film.mp4"), film).expect("the film");
        let rate = self.work.grid.rate;
        let text = ffmpeg_in(
            self.path(),
            &format!("-copyts -i film.mp4 -fps_mode passthrough -enc_time_base {}/{} -f framemd5 -", rate.den, rate.num),
        );
        let times: Vec<u64> = lines(&text).map(|line| field(line, 2).parse().expect("a time")).collect();
        assert_eq!(times, (0..times.len() as u64).collect::<Vec<_>>(), "every frame at its time");
        hashes(&text)
    }

    /// Encodes the clip in three spans and compares with the unsplit run.
    async fn assert_exact(&self, what: &str, keyframes_back: usize) -> Vec<Piece> {
        let mut all = Vec::new();
        let mut end_frame = None;
        for (first, last, to_end) in [(0, 2, false), (2, 3, false), (3, 5, true)] {
            let work = self.span(first, last, to_end, keyframes_back);
            let (pieces, end) = self.encode(&work, Delivery::Whole).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(end.warnings, [], "{what}");
            all.extend(pieces);
            end_frame = end.end_frame;
        }
        assert_same_headers(&all, what);
        for index in 0..self.work.renditions.len() {
            let (joined, whole) = (self.joined(&all, index), self.whole(index));
            assert_eq!(joined.len(), whole.len(), "{what}: frames");
            assert!(joined == whole, "{what}: pictures differ");
            assert_eq!(end_frame, Some(whole.len() as u64), "{what}: end");
        }
        all
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.starts_with("0,"))
}

fn field(line: &str, index: usize) -> &str {
    line.split(',').nth(index).expect("a field").trim()
}

fn hashes(text: &str) -> Vec<String> {
    lines(text).map(|line| field(line, 5).to_owned()).collect()
}

fn assert_same_headers(pieces: &[Piece], what: &str) {
    let mut headers: Vec<(&str, &InitHeader)> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Init { rendition, header, .. } => Some((rendition.as_str(), header)),
            Piece::Segment { .. } => None,
        })
        .collect();
    assert!(headers.len() >= 2, "{what}: headers");
    headers.sort_by_key(|(rendition, _)| *rendition);
    headers.dedup();
    assert_eq!(headers.len(), 2, "{what}: one header for each rendition, the same in all spans");
}

/// `index:frames` of the segments of one rendition.
fn segments(pieces: &[Piece], name: &str) -> Vec<(u32, u32)> {
    pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Segment { rendition, index, frames, .. } if rendition == name => Some((*index, *frames)),
            Piece::Init { .. } | Piece::Segment { .. } => None,
        })
        .collect()
}
