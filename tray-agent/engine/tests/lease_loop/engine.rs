//! A lease loop that runs in the test, and work for it.

use std::time::Duration;

use offpeak_api::{
    lease::Capabilities,
    media::{FrameGrid, Ratio},
    profile::{Quality, X264Preset},
    work::{Audio, Encode, Rows, SourceAddress, VideoFilters, VideoRendition, Work},
};
use offpeak_engine::{
    client::{Client, Token, connection_pool},
    contribution::Tally,
    desk::Desk,
    forecast::Forecast,
    http::Http,
    lease::{EngineEnd, LeaseLoop, Pace},
    sandbox::Sandbox,
    status::Status,
    task::Tools,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    fake_server::{FakeServer, TOKEN},
    fake_steps::FakeSteps,
};

/// A running loop, a hundred times less patient than the real one.
pub struct Engine {
    pub shutdown: CancellationToken,
    pub desk: Desk,
    pub run: JoinHandle<EngineEnd>,
}

pub fn start(server: &url::Url, steps: FakeSteps, leases: u32) -> Engine {
    start_with(server, steps, leases, None)
}

pub fn start_with(server: &url::Url, steps: FakeSteps, leases: u32, forecast: Option<Forecast>) -> Engine {
    start_at_pace(server, steps, leases, forecast, |_| {})
}

pub fn start_at_pace(
    server: &url::Url,
    steps: FakeSteps,
    leases: u32,
    forecast: Option<Forecast>,
    change: impl FnOnce(&mut Pace),
) -> Engine {
    let (shutdown, desk) = (CancellationToken::new(), Desk::default());
    let pool = connection_pool(&"http://127.0.0.1:9/".parse().unwrap(), None).unwrap();
    let http = Http::new(pool, None, desk.clone());
    let mut pace = Pace {
        ask_wait: Duration::from_millis(10),
        retry_first: Duration::from_millis(5),
        retry_most: Duration::from_millis(40),
        report_least: Duration::from_millis(20),
        heartbeat_least: Duration::from_millis(20),
        shutdown_limit: Duration::from_millis(500),
        trouble_limit: Duration::from_millis(500),
    };
    change(&mut pace);
    let engine = LeaseLoop {
        client: Client::new(http, server.clone(), Token::new(TOKEN.to_owned()), Status::default()),
        tools: Tools { ffmpeg: "none".into(), ffprobe: "none".into(), threads: 1, sandbox: Sandbox::open() },
        steps,
        capabilities: Capabilities {
            engine: "0.1.0".to_owned(),
            ffmpeg: "fake".to_owned(),
            encoders: vec!["libx264".to_owned()],
            cores: 2,
            memory_mib: 0,
            os: "linux".to_owned(),
            sandbox: None,
        },
        leases,
        pace,
        desk: desk.clone(),
        tally: Tally::load(None),
        forecast,
        shutdown: shutdown.clone(),
    };
    Engine { shutdown, desk, run: tokio::spawn(engine.run()) }
}

impl Engine {
    pub async fn stop(self) -> EngineEnd {
        self.shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(10), self.run).await.expect("the loop ends").unwrap()
    }
}

pub fn source() -> SourceAddress {
    SourceAddress { url: "/source".to_owned(), bytes: 1, expires_in_seconds: 600 }
}

pub fn grid() -> FrameGrid {
    FrameGrid { rate: Ratio::new(24, 1), frames_per_segment: 48, source_start_seconds: 0.0 }
}

pub fn encode(cursor: u32, last: u32, to_end: bool) -> Work {
    let rendition = |id: &str, height| VideoRendition {
        id: id.to_owned(),
        width: height * 16 / 9,
        height,
        max_kbps: 800,
        preset: X264Preset::Ultrafast,
        quality: Quality::default(),
    };
    Work::Encode(Encode {
        source: source(),
        container: "matroska".to_owned(),
        stream: 0,
        grid: grid(),
        rows: Rows { first: 0, cursor, last },
        to_end,
        seek_points: vec![None],
        read_until_seconds: None,
        filters: VideoFilters::default(),
        renditions: vec![rendition("h264-360p", 360), rendition("h264-180p", 180)],
    })
}

pub fn audio(cursor: u32, last: u32) -> Work {
    Work::Audio(Audio {
        source: source(),
        container: "matroska".to_owned(),
        stream: 1,
        grid: grid(),
        rows: Rows { first: 0, cursor, last },
        rendition: "aac-1".to_owned(),
        bitrate_kbps: 128,
        channels: 2,
    })
}

pub fn no_complaints(server: &FakeServer) {
    assert_eq!(server.farm().complaints, Vec::<String>::new());
}
