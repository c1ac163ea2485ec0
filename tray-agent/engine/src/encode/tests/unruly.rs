//! What is not as planned: ends that lie elsewhere, orders in between, sources that fail.

use std::time::Duration;

use offpeak_api::{
    lease::Blame,
    media::Ratio,
    profile::{Quality, X264Preset},
    work::Encode,
};
use tokio::{sync::mpsc, time::timeout};

use super::{Clip, EncodeEnd, MP4, encode, lossless, segments};
use crate::{
    task::{InitHeader, Piece, TaskEnd, TaskError},
    testing::{self, Delivery},
};

const BOTH: [&str; 2] = ["h264-180p", "h264-90p"];

/// 253 frames: five segments of 50 and three frames more.
fn clip() -> Clip {
    Clip::h264("-g 48 -bf 3", "a.mp4", MP4, 0.0)
}

/// With B-frames, so that the header has an edit.
fn usual_quality(clip: &mut Clip) {
    for rendition in &mut clip.work.renditions {
        (rendition.preset, rendition.quality) = (X264Preset::Medium, Quality::CappedCrf { crf: 30.0 });
    }
}

fn header<'a>(pieces: &'a [Piece], name: &str) -> Option<&'a InitHeader> {
    pieces.iter().find_map(|piece| match piece {
        Piece::Init { rendition, header, .. } if rendition == name => Some(header),
        Piece::Init { .. } | Piece::Segment { .. } => None,
    })
}

#[tokio::test]
async fn reading_begins_further_back_when_frames_are_missing() {
    let clip = clip();
    let work = Encode { seek_points: vec![Some(7.7), Some(5.77), None], ..clip.span(2, 3, false, 0) };
    let (pieces, _) = clip.encode(&work, Delivery::Whole).await.expect("a span");
    let attempts = pieces.iter().map(|piece| match piece {
        Piece::Init { attempt, .. } | Piece::Segment { attempt, .. } => *attempt,
    });
    assert!(attempts.eq([2; 4]), "both later points begin too late");
    let right = clip.encode(&clip.span(2, 3, false, 0), Delivery::Whole).await.expect("a span").0;
    let data = |pieces: &[Piece]| -> Vec<_> {
        let data = pieces.iter().map(|piece| match piece {
            Piece::Init { rendition, data, .. } => (rendition.clone(), data.clone()),
            Piece::Segment { rendition, data, .. } => (rendition.clone(), data.clone()),
        });
        let mut data: Vec<_> = data.collect();
        data.sort();
        data
    };
    assert!(data(&pieces) == data(&right), "lossless pictures are the same bytes");
}

#[tokio::test]
async fn a_tail_of_two_frames_has_the_usual_header_and_times() {
    let mut clip = Clip::h264("-g 48 -bf 3 -frames:v 252", "a.mp4", MP4, 0.0);
    usual_quality(&mut clip);
    let mut all = clip.encode(&clip.span(0, 5, false, 0), Delivery::Whole).await.expect("a span").0;
    let (tail, end) = clip.encode(&clip.span(5, 6, true, 0), Delivery::Whole).await.expect("a span");
    assert_eq!(end, EncodeEnd { end_frame: Some(252), warnings: vec![] });
    for name in BOTH {
        assert_eq!(segments(&tail, name), [(5, 2)]);
        assert_eq!(header(&tail, name).map(|header| header.media_time), Some(800), "two frames");
        assert_eq!(header(&tail, name), header(&all, name));
    }
    all.extend(tail);
    assert_eq!(clip.joined(&all, 0).len(), 252);
}

#[tokio::test]
async fn an_end_before_the_span_is_told() {
    let clip = clip();
    for first in [6, 9] {
        let (pieces, end) = clip.encode(&clip.span(first, first + 1, true, 0), Delivery::Whole).await.expect("a span");
        assert!(pieces.is_empty());
        assert_eq!(end, EncodeEnd { end_frame: Some(253), warnings: vec![] });
    }
}

#[tokio::test]
async fn an_end_later_than_planned_is_reached() {
    let clip = clip();
    let (pieces, end) = clip.encode(&clip.span(3, 4, true, 0), Delivery::Whole).await.expect("a span");
    assert_eq!(segments(&pieces, BOTH[0]), [(3, 50), (4, 53)]);
    assert_eq!(end.end_frame, Some(253));
}

#[tokio::test]
async fn pictures_that_the_source_does_not_have_are_filled_at_last() {
    let clip = clip();
    let (pieces, end) = clip.encode(&clip.span(4, 7, false, 0), Delivery::Whole).await.expect("a span");
    for name in BOTH {
        assert_eq!(segments(&pieces, name), [(4, 50), (5, 50), (6, 50)]);
    }
    let codes: Vec<&str> = end.warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert_eq!((end.end_frame, codes), (None, vec!["hole_filled"]));
}

#[tokio::test]
async fn a_source_that_is_gone_is_not_the_end() {
    let mut clip = clip();
    usual_quality(&mut clip);
    for to_end in [false, true] {
        let gone = Delivery::GoneAfter { requests: 3, bytes: 100_000 };
        let error = clip.encode(&clip.span(0, 5, to_end, 0), gone).await.expect_err("it is gone");
        let TaskError::Failed(failure) = error else { panic!("not stopped") };
        assert_eq!((failure.code, failure.blame), ("source_unreadable", Blame::Agent));
    }
}

#[tokio::test]
async fn a_film_that_goes_on_far_beyond_its_plan_is_given_up() {
    // Planned as two seconds; spans to the end may come to ten minutes more.
    let source = "-f lavfi -i color=size=64x36:rate=25:duration=630 -pix_fmt yuv420p -c:v libx264 -preset ultrafast";
    let mut clip = Clip::make(source, "a.mp4", MP4, Ratio::new(25, 1), 0.0);
    clip.work.renditions = vec![lossless(64, 36)];
    let error = clip.encode(&clip.span(0, 1, true, 0), Delivery::Whole).await.expect_err("it has no end in sight");
    let TaskError::Failed(failure) = error else { panic!("not stopped") };
    assert_eq!((failure.code, failure.blame), ("too_many_frames", Blame::Source));
}

#[tokio::test]
async fn what_is_no_film_is_the_sources_fault() {
    let clip = clip();
    std::fs::write(clip.path().join("clip"), "This is a letter to somebody.\n".repeat(1000)).expect("a text");
    let error = clip.encode(&clip.work, Delivery::Whole).await.expect_err("it is no film");
    let TaskError::Failed(failure) = error else { panic!("not stopped") };
    assert_eq!((failure.code, failure.blame), ("source_corrupt", Blame::Source));
    assert!(!failure.log_tail.is_empty() && !failure.log_tail.concat().contains("127.0.0.1"), "{:?}", failure.log_tail);
}

/// Runs the whole clip and calls `order` with the first segment that comes; returns all pieces and the end.
async fn run_with_order(
    clip: &Clip,
    order: impl FnOnce(&crate::task::TaskContext, &tokio::sync::watch::Sender<TaskEnd>),
) -> (Vec<Piece>, Result<EncodeEnd, TaskError>) {
    let source = testing::serve(std::fs::read(clip.path().join("clip")).expect("the clip"), Delivery::Whole).await;
    let (ctx, orders) = testing::context(source, TaskEnd { last: 5, to_end: true });
    let (out, mut pieces) = mpsc::channel(1);
    let follow = async {
        let mut order = Some(order);
        let mut all = Vec::new();
        while let Some(piece) = pieces.recv().await {
            if matches!(piece, Piece::Segment { .. })
                && let Some(order) = order.take()
            {
                order(&ctx, &orders);
            }
            all.push(piece);
        }
        all
    };
    let run = async { tokio::join!(encode(&ctx, &clip.work, out), follow) };
    let (end, pieces) = timeout(Duration::from_secs(60), run).await.expect("it ends");
    (pieces, end)
}

#[tokio::test]
async fn an_end_that_comes_nearer_is_obeyed() {
    let clip = clip();
    let lower = |_: &_, orders: &tokio::sync::watch::Sender<TaskEnd>| {
        orders.send(TaskEnd { last: 3, to_end: false }).expect("somebody listens");
    };
    let (pieces, end) = run_with_order(&clip, lower).await;
    assert_eq!(end.expect("an end"), EncodeEnd::default());
    for name in BOTH {
        assert_eq!(segments(&pieces, name), [(0, 50), (1, 50), (2, 50)], "{name}");
    }
}

#[tokio::test]
async fn a_stop_is_obeyed_at_once() {
    let clip = clip();
    let (pieces, end) = run_with_order(&clip, |ctx, _| ctx.stop.cancel()).await;
    assert!(matches!(end, Err(TaskError::Stopped)));
    assert!(pieces.len() < 8, "{} pieces", pieces.len());
}

#[tokio::test]
async fn progress_tells_of_frames() {
    let clip = clip();
    let source = testing::serve(std::fs::read(clip.path().join("clip")).expect("the clip"), Delivery::Whole).await;
    let (ctx, _orders) = testing::context(source, TaskEnd { last: 5, to_end: true });
    let (out, mut pieces) = mpsc::channel(1);
    let drop_all = async { while pieces.recv().await.is_some() {} };
    let (end, ()) = tokio::join!(encode(&ctx, &clip.work, out), drop_all);
    end.expect("an end");
    assert_eq!(ctx.progress.get().frames, 253);
    assert!(ctx.progress.get().frames_per_second > 0.0);
}
