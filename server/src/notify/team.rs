//! Events of all jobs of a team as one stream of server-sent events: lists follow it instead of asking again and again.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::request::Parts,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::Stream;
use offpeak_api::{ids::TeamId, job::JobEvent};

use super::{
    http::{KEEP_ALIVE_EVERY, LATE, PAGE, after_id, sse},
    store,
};
use crate::{
    app::App,
    auth::may::{self, JobsRead, May},
    clock::Instant,
    error::ApiError,
    wake::LOOK_ANYWAY,
};

/// Then it ends, and whoever watches comes again, to whichever server has room.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// Commits of a busy farm come many a second, and one look finds them all.
const LOOKS_APART: Duration = Duration::from_millis(400);

/// Watch all jobs
///
/// Server-sent events of all jobs of the team, as GET /v1/jobs/{id}/events has them of one: those that happen from now on, or after
/// `Last-Event-ID`. The stream ends after a quarter of an hour; whoever connects again with the last id misses nothing.
#[utoipa::path(get, path = "/v1/jobs/events", operation_id = "watch_jobs", tag = "jobs", security(("bearer" = ["jobs:read"])), responses(
    (status = 200, description = "Events; each `data` is a JobEvent", body = JobEvent, content_type = "text/event-stream"),
))]
pub async fn team_events(
    State(app): State<App>,
    auth: May<JobsRead>,
    parts: Parts,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let begin = match after_id(&parts.headers) {
        Some(after) => after,
        None => store::newest(&app.db.reader).await?,
    };
    let until = app.clock.now() + LIFETIME;
    Ok(Sse::new(stream(app, (parts, auth.team_id.clone()), begin, until)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE_EVERY)))
}

/// `by` is who watches: it ends when they may no more, at the next event or look.
fn stream(app: App, by: (Parts, TeamId), begin: i64, until: Instant) -> impl Stream<Item = Result<Event, Infallible>> {
    async_stream::stream! {
        let mut waiter = app.wake.event_waiter();
        let (mut after, mut sent) = (begin, BTreeSet::new());
        while app.clock.now() < until && may::still::<JobsRead>(&by.0, &app, &by.1).await {
            // Read before the events: what the team has up to here is found now, so that nobody looks through it again.
            let Ok(newest) = store::newest(&app.db.reader).await else { return };
            let from = begin.max(after - LATE);
            let Ok(events) = store::events_of_team(&app.db.reader, &by.1, from, PAGE).await else { return };
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
            after = after.max(newest);
            tokio::time::sleep(LOOKS_APART).await;
            waiter.wait(LOOK_ANYWAY).await;
        }
    }
}
