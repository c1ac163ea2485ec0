//! An engine's calls, without an engine.

use anyhow::{Context, Result, bail};
use offpeak_api::{
    job::Job,
    lease::{Capabilities, CommitRequest, CompleteRequest, InitReport, Lease, LeaseRequest, PROTOCOL, SegmentReport, TaskResult},
    media::{ticks_per_frame, video_timescale},
    work::{Encode, Work},
};
use offpeak_server::auth::{hex, random_name};
use sha2::{Digest, Sha256};

use super::{http::Client, side::SEGMENT};

pub fn request(request_id: String, wait_seconds: u32) -> LeaseRequest {
    LeaseRequest {
        request_id,
        instance: None,
        protocol: PROTOCOL,
        wait_seconds,
        capabilities: Capabilities {
            engine: "0.1.0".to_owned(),
            ffmpeg: "one build".to_owned(),
            encoders: vec!["libx264".to_owned(), "aac".to_owned()],
            cores: 8,
            memory_mib: 16_384,
            os: "linux".to_owned(),
            sandbox: None,
        },
        load: None,
        expected_idle_seconds: None,
    }
}

/// A lease on what waits now.
pub async fn lease(http: &mut Client) -> Result<Lease> {
    let answer = http.post("/v1/leases", &request(random_name(12), 0)).await?;
    if answer.status == 204 {
        bail!("the queue ran dry: the bench did not fill it up in time");
    }
    answer.read()
}

pub fn span(lease: &Lease) -> Result<&Encode> {
    match &lease.work {
        Work::Encode(span) => Ok(span),
        other => bail!("expected a span, got {other:?}"),
    }
}

/// The one row of the span, in its one rendition.
pub fn row(span: &Encode, sha256: &str) -> Result<SegmentReport> {
    let rendition = span.renditions.first().context("a span without renditions")?.id.clone();
    let (index, frames) = (span.rows.first, span.grid.frames_per_segment);
    let ticks = ticks_per_frame(span.grid.rate);
    Ok(SegmentReport {
        rendition,
        index,
        attempt: 0,
        frames,
        start_ticks: span.grid.first_frame(index) * ticks,
        duration_ticks: u64::from(frames) * ticks,
        bytes: SEGMENT.len() as u64,
        sha256: sha256.to_owned(),
    })
}

pub fn init(span: &Encode, sha256: &str) -> Result<InitReport> {
    Ok(InitReport {
        rendition: span.renditions.first().context("a span without renditions")?.id.clone(),
        attempt: 0,
        bytes: SEGMENT.len() as u64,
        sha256: sha256.to_owned(),
        fingerprint: "one build".to_owned(),
        codecs: "avc1.64001e".to_owned(),
        timescale: video_timescale(span.grid.rate),
        media_time: 0,
    })
}

pub fn hash_of_segment() -> String {
    hex(&Sha256::digest(SEGMENT))
}

pub fn commit(span: &Encode, sha256: &str, with_init: bool) -> Result<CommitRequest> {
    let inits = if with_init { vec![init(span, sha256)?] } else { vec![] };
    Ok(CommitRequest { segments: vec![row(span, sha256)?], inits })
}

pub fn completion(span: &Encode) -> CompleteRequest {
    let end = span.grid.first_frame(span.rows.last);
    CompleteRequest { result: TaskResult::Encode { end_frame: span.to_end.then_some(end), warnings: vec![] } }
}

/// A job of the bench's profile, by a program.
pub async fn create_job(program: &mut Client, source: &str) -> Result<Job> {
    let wanted = serde_json::json!({ "source": { "upload": source }, "profile": super::prototype::PROFILE });
    program.post("/v1/jobs", &wanted).await?.read()
}
