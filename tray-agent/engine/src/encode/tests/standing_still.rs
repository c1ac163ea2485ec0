//! What a suspended span does, with the real ffmpeg.

use std::time::{Duration, Instant};

use offpeak_api::media::Ratio;
use tokio::sync::mpsc;

use super::{Clip, EncodeEnd, MP4, encode, segments};
use crate::{
    desk::Allowed,
    task::TaskEnd,
    testing::{self, Delivery},
};

/// As the renditions are called, whatever their size here.
const BOTH: [&str; 2] = ["h264-180p", "h264-90p"];

/// Slow enough to be caught in the middle, on any machine.
fn long_clip() -> Clip {
    let source = "-f lavfi -i testsrc2=size=1280x720:rate=25:duration=10.12 -pix_fmt yuv420p -c:v libx264 -preset ultrafast";
    let mut clip = Clip::make(source, "clip.mp4", MP4, Ratio::new(25, 1), 0.0);
    clip.work.grid.frames_per_segment = 25;
    clip.work.rows.last = 10;
    for (rendition, (width, height)) in clip.work.renditions.iter_mut().zip([(1280, 720), (640, 360)]) {
        (rendition.width, rendition.height) = (width, height);
        rendition.preset = offpeak_api::profile::X264Preset::Medium;
    }
    clip
}

/// This test's ffmpegs: children of this process that make the smaller rendition, a size that no other test has.
fn ffmpegs() -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("processes").flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_ours = |id: &u32| {
        let words = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        parent(*id) == Some(std::process::id()) && String::from_utf8_lossy(&words).contains("640:360")
    };
    ids.filter(is_ours).collect()
}

/// What `proc(5)` says of a process, from its state (field 3) on.
fn stat(id: u32) -> Vec<String> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(')').next().unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

fn state(id: u32) -> Option<String> {
    stat(id).into_iter().next()
}

fn parent(id: u32) -> Option<u32> {
    stat(id).get(1)?.parse().ok()
}

/// CPU time that a process has used, in clock ticks: user and system, fields 14 and 15.
fn cpu_ticks(id: u32) -> u64 {
    stat(id)[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_span_uses_no_cpu_and_goes_on_exactly() {
    let clip = long_clip();
    let source = testing::serve(std::fs::read(clip.path().join("clip")).expect("the clip"), Delivery::Whole).await;
    let (ctx, _orders) = testing::context(source, TaskEnd { last: 10, to_end: true });
    let (out, mut pieces) = mpsc::channel(2);
    let desk = ctx.desk.clone();
    let work = clip.work.clone();
    let run = tokio::spawn(async move { encode(&ctx, &work, out).await });
    let mut all = Vec::new();
    while segments(&all, BOTH[0]).is_empty() && segments(&all, BOTH[1]).is_empty() {
        all.push(pieces.recv().await.expect("the span goes on"));
    }
    let own = ffmpegs();
    assert!(!own.is_empty(), "ffmpeg runs");

    desk.set(Allowed::Suspended { reason: "somebody types".to_owned() });
    let limit = Instant::now() + Duration::from_secs(1);
    while !own.iter().all(|id| state(*id).as_deref() == Some("T")) {
        assert!(Instant::now() < limit, "ffmpeg stands still within a second");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let ticks: Vec<u64> = own.iter().map(|id| cpu_ticks(*id)).collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(own.iter().map(|id| cpu_ticks(*id)).collect::<Vec<_>>(), ticks, "no CPU is used");

    desk.set(Allowed::Work);
    while let Some(piece) = pieces.recv().await {
        all.push(piece);
    }
    let end = run.await.expect("it ends").expect("it ends well");
    assert_eq!(end, EncodeEnd { end_frame: Some(253), warnings: Vec::new() });
    for index in 0..2 {
        assert!(clip.joined(&all, index) == clip.whole(index), "the frames are those of an unsplit run");
    }
}
