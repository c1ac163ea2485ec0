//! Job events as a stream of server-sent events.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, request::Parts},
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::Stream;
use offpeak_api::{
    ids::{JobId, TeamId},
    job::JobEvent,
    problem::Problem,
};

use super::store;
use crate::{
    app::App,
    auth::may::{self, JobsRead, May},
    error::ApiError,
    jobs,
    wake::LOOK_ANYWAY,
};

/// Proxies close connections that are silent for a minute.
pub(super) const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);
pub(super) const PAGE: u64 = 256;
/// PostgreSQL numbers events as they are written and shows them as they are committed: one may turn up behind this many that
/// have a higher number, about as many as transactions can be under way. Less than a page, so that each page brings news.
pub(super) const LATE: i64 = 128;

/// Watch a job
///
/// Server-sent events from the job's first on, or after `Last-Event-ID`; the stream ends when the job is over.
#[utoipa::path(get, path = "/v1/jobs/{id}/events", operation_id = "watch_job", tag = "jobs", security(("bearer" = ["jobs:read"])), params(("id" = JobId, Path)), responses(
    (status = 200, description = "Events; each `data` is a JobEvent", body = JobEvent, content_type = "text/event-stream"),
    (status = 404, description = "No such job", body = Problem),
))]
pub async fn job_events(
    State(app): State<App>,
    auth: May<JobsRead>,
    Path(id): Path<JobId>,
    parts: Parts,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    jobs::store::find(&app.db.reader, &auth.team_id, &id).await?;
    let after = after_id(&parts.headers).unwrap_or(0);
    Ok(Sse::new(stream(app, id, after, (parts, auth.team_id.clone()))).keep_alive(KeepAlive::new().interval(KEEP_ALIVE_EVERY)))
}

/// After which event a stream is to go on.
pub(super) fn after_id(headers: &HeaderMap) -> Option<i64> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}

/// An event as it is sent.
pub(super) fn sse(event: &JobEvent) -> Option<Event> {
    Event::default().id(event.sequence.to_string()).event(&event.kind).json_data(event).ok()
}

/// `by` is who watches: it ends when they may no more, at the next event or look.
fn stream(app: App, id: JobId, begin: i64, by: (Parts, TeamId)) -> impl Stream<Item = Result<Event, Infallible>> {
    async_stream::stream! {
        let mut waiter = app.wake.event_waiter();
        let (mut after, mut sent) = (begin, BTreeSet::new());
        loop {
            if !may::still::<JobsRead>(&by.0, &app, &by.1).await {
                return;
            }
            // Read the state before the events: a job that is over then has no event that is not read.
            let Ok(job) = jobs::store::stage_of(&app.db.reader, id.as_str()).await else { return };
            let over = job.state().is_ok_and(|state| state.is_over());
            let from = begin.max(after - LATE);
            let Ok(events) = store::events_after(&app.db.reader, id.as_str(), from, PAGE).await else { return };
            let full = events.len() as u64 == PAGE;
            sent.retain(|sequence| *sequence > from);
            for event in events {
                if !sent.insert(event.sequence) {
                    continue;
                }
                after = after.max(event.sequence);
                if let Some(event) = sse(&event) {
                    yield Ok(event);
                }
            }
            if full {
                continue;
            }
            if over {
                return;
            }
            waiter.wait(LOOK_ANYWAY).await;
        }
    }
}
