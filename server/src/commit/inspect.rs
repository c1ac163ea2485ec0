//! Whether agents sent what they say: init segments, and a sample of segments, looked into where they are stored.
//!
//! In: what a commit reports, all of it uploaded with the length and hash that it says. Out: nothing, or the lie. What must
//! hold: few and small reads, none of them under a lock; what is found is compared, never taken over; an agent that lied is
//! set aside before it hears of it, and only a person brings it back.

use std::ops::Range;

use bytes::Bytes;
use offpeak_api::{
    lease::{InitReport, ObjectName, SegmentReport},
    media::video_timescale,
};
use offpeak_boxes::{BadMedia, Step, Walk, parse_init};

use crate::{
    agents::standing,
    app::App,
    auth::AgentAuth,
    blob::BlobKey,
    entity::{lease, task},
    error::ApiError,
    finish::{
        self,
        store::{Why, insert_failure},
    },
    jobs,
    lease::{TaskKind, http as lease_http, spec},
};

/// The code of a commit whose objects are not what it says.
pub const MALFORMED: &str = "malformed_segment";

/// Real ones have less than 1 kB.
const MOST_INIT_BYTES: u64 = 64 << 10;
/// One read of so much holds all boxes of a usual segment of sound, and those of one with pictures up to its media.
const READ_BYTES: u64 = 64 << 10;
/// A segment of half a minute of sound takes eight.
const MOST_READS: u32 = 64;

/// An object, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not what its agent said: {why}")]
pub struct Lie {
    what: String,
    why: String,
}

/// Looks into all init segments of a commit and into one of its segments, as often as the settings want it.
pub async fn find_lie(
    app: &App,
    (lease, task): (&lease::Model, &task::Model),
    inits: &[InitReport],
    segments: &[SegmentReport],
) -> Result<Option<Lie>, ApiError> {
    if !is_chosen(app.config.inspect_percent) || !spec::kind_of(task)?.makes_segments() {
        return Ok(None);
    }
    let timescale = match spec::kind_of(task)? {
        TaskKind::Encode => Some(video_timescale(jobs::planned::of(app, &task.job_id).await?.plan.grid.rate)),
        TaskKind::Audio | TaskKind::Fetch | TaskKind::Probe | TaskKind::File => None,
    };
    for init in inits {
        let key = lease_http::object_key(lease, task, &ObjectName::Init { rendition: init.rendition.clone() }, init.attempt)?;
        if let Some(why) = look_into_init(app, &key, init, timescale).await? {
            return Ok(Some(Lie { what: format!("The init segment of {}", init.rendition), why }));
        }
    }
    if segments.is_empty() {
        return Ok(None);
    }
    let segment = &segments[rand::random_range(0..segments.len())];
    let name = ObjectName::Segment { rendition: segment.rendition.clone(), index: segment.index };
    let key = lease_http::object_key(lease, task, &name, segment.attempt)?;
    let why = look_into_segment(app, &key, segment).await?;
    Ok(why.map(|why| Lie { what: format!("Segment {} of {}", segment.index, segment.rendition), why }))
}

fn is_chosen(percent: u8) -> bool {
    match percent {
        0 => false,
        100.. => true,
        some => rand::random_range(0..100) < some,
    }
}

async fn look_into_init(
    app: &App,
    key: &BlobKey,
    report: &InitReport,
    timescale: Option<u32>,
) -> Result<Option<String>, ApiError> {
    if report.bytes > MOST_INIT_BYTES {
        return Ok(Some(format!("it has {} bytes", report.bytes)));
    }
    let data = read(app, key, 0..report.bytes).await?;
    let header = match parse_init(&data) {
        Ok(init) => init.header,
        Err(why) => return Ok(Some(why.to_string())),
    };
    let rules = [
        (header.codecs == report.codecs, "`codecs`"),
        (header.timescale == report.timescale, "`timescale`"),
        (header.media_time == report.media_time, "`media_time`"),
        (header.fingerprint == report.fingerprint, "`fingerprint`"),
        (timescale.is_none_or(|wanted| wanted == header.timescale), "the frame grid's timescale"),
    ];
    Ok(rules.iter().find(|(holds, _)| !holds).map(|(_, what)| format!("{what} is another")))
}

async fn look_into_segment(app: &App, key: &BlobKey, report: &SegmentReport) -> Result<Option<String>, ApiError> {
    let mut walk = Walk::new(report.bytes);
    for _ in 0..MOST_READS {
        let step = match walk.next() {
            Ok(step) => step,
            Err(why) => return Ok(Some(why.to_string())),
        };
        let (at, bytes) = match step {
            Step::Need { at, bytes } => (at, bytes),
            Step::Done(found) => {
                let rules = [
                    (found.samples == report.frames, format!("it has {} frames, not {}", found.samples, report.frames)),
                    (
                        found.start_ticks == report.start_ticks,
                        format!("it begins at tick {}, not {}", found.start_ticks, report.start_ticks),
                    ),
                    (
                        found.duration_ticks == report.duration_ticks,
                        format!("it lasts {} ticks, not {}", found.duration_ticks, report.duration_ticks),
                    ),
                ];
                return Ok(rules.into_iter().find(|(holds, _)| !holds).map(|(_, why)| why));
            }
        };
        let data = read(app, key, at..at.saturating_add(bytes.max(READ_BYTES)).min(report.bytes)).await?;
        if let Err(why) = walk.feed(&data) {
            return Ok(Some(why.to_string()));
        }
    }
    Ok(Some(BadMedia::Other("its boxes are too many".to_owned()).to_string()))
}

async fn read(app: &App, key: &BlobKey, range: Range<u64>) -> Result<Bytes, ApiError> {
    let found = app.blobs.read_range(key, range).await.map_err(ApiError::internal)?;
    found.ok_or_else(|| ApiError::unfit("not_uploaded", format!("{key} is not in storage any more.")))
}

/// Sets an agent aside that lied, takes what it holds, and makes the refusal that it hears.
pub async fn set_aside(
    app: &App,
    auth: &AgentAuth,
    (lease, task): (&lease::Model, &task::Model),
    lie: Lie,
) -> Result<ApiError, ApiError> {
    let now = app.clock.now();
    tracing::warn!(agent.id = %auth.agent_id, lease.id, task.id, %lie, "an agent sent something else than it said");
    let tx = app.db.write().await?;
    let why = Why { code: MALFORMED.to_owned(), message: lie.to_string(), log_tail: Vec::new() };
    insert_failure(&tx.tx, lease, task, &why, now).await?;
    standing::note_lie(&tx.tx, auth.agent_id.as_str(), &lie.to_string(), now).await?;
    tx.commit().await?;
    finish::take_away(app, auth, MALFORMED).await?;
    Ok(ApiError::unfit(MALFORMED, format!("{lie}.")).hint("This agent was set aside: a person has to look at its machine."))
}
