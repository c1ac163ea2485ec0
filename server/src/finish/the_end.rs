//! Where the presentation ends: only the span that reaches the source's end knows.
//!
//! The facts say how long a film should be; what can be decoded may be shorter or longer. What must hold: the end that is
//! noted is the one that the committed rows have, whatever a holder says.

use offpeak_api::{job::JobError, media::FrameGrid};
use sea_orm::ConnectionTrait;

use super::advance::{Outcome, incomplete};
use crate::{
    clock::Instant,
    commit::store as commit_store,
    entity::task,
    error::ApiError,
    jobs,
    lease::{TaskState, spec, store as lease_store},
};

/// A span is done. `end_frame` is the number of frames of the presentation, as its holder counted them.
pub async fn encoded(
    tx: &impl ConnectionTrait,
    task: &task::Model,
    end_frame: Option<u64>,
    now: Instant,
) -> Result<Outcome, ApiError> {
    if !task.to_end && task.cursor == task.last {
        return Ok(Outcome::GoesOn);
    }
    let job = jobs::store::get(tx, &task.job_id).await?;
    let grid = spec::plan_of(&job)?.grid;
    if task.to_end {
        // When a later span found nothing, the end is known, and this span's holder may not have heard yet that it is the last.
        let is_known = job.end_frame.is_some() && task.cursor == task.last;
        return ends_here(tx, task, &grid, end_frame, is_known).await;
    }
    let cursor = task.cursor.cast_unsigned();
    if end_frame.is_some_and(|end| end <= grid.first_frame(cursor)) {
        // The holder looked for the source's end and found it before the rows that are left.
        if lease_store::any_committed_from(tx, &task.job_id, task.last).await? {
            return Err(wrong_end("rows behind it are committed"));
        }
        lease_store::strike_out(tx, &task.job_id, task.last, now).await?;
        jobs::tasks::set_to_end(tx, task).await?;
        return ends_here(tx, task, &grid, end_frame, false).await;
    }
    Err(incomplete(task, task.last.cast_unsigned()))
}

fn wrong_end(why: &str) -> ApiError {
    ApiError::unfit("wrong_end", format!("The presentation cannot end there: {why}."))
}

async fn ends_here(
    tx: &impl ConnectionTrait,
    task: &task::Model,
    grid: &FrameGrid,
    told: Option<u64>,
    is_known: bool,
) -> Result<Outcome, ApiError> {
    if told.is_none() && !is_known {
        return Err(ApiError::unfit("no_end_frame", "The last span tells where the presentation ended."));
    }
    let segments = task.cursor.cast_unsigned();
    let renditions = commit_store::renditions_of_task(tx, task).await?;
    let Some(frames) = commit_store::frames_before_cursor(tx, task, &renditions).await? else {
        return ends_before(tx, task, grid, told).await;
    };
    let end = grid.first_frame(segments - 1) + u64::from(frames);
    // It may be told to lie before that: a span that was not the last then had its last rows filled by an earlier holder.
    if told.is_some_and(|told| told > end) {
        return Err(wrong_end(&format!("the committed rows end at frame {end}")));
    }
    jobs::tasks::set_last(tx, task, segments).await?;
    jobs::store::set_end_frame(tx, &task.job_id, end).await?;
    commit_store::set_segments_total(tx, &task.job_id, "video", segments).await?;
    Ok(Outcome::GoesOn)
}

/// The film ended before this span: the span before it is now the last one.
async fn ends_before(
    tx: &impl ConnectionTrait,
    task: &task::Model,
    grid: &FrameGrid,
    told: Option<u64>,
) -> Result<Outcome, ApiError> {
    let first = task.first.cast_unsigned();
    let latest = grid.first_frame(first);
    if told.is_some_and(|told| told > latest) {
        return Err(wrong_end("no row of this span is committed"));
    }
    if first == 0 {
        return Ok(Outcome::JobFailed(JobError::of_source(
            "no_frames",
            "Not one picture of this video could be decoded. The file is probably damaged; export or upload it again.",
        )));
    }
    let before = lease_store::tasks_of_job(tx, &task.job_id)
        .await?
        .into_iter()
        .find(|other| other.kind == task.kind && other.last == task.first && other.id != task.id)
        .ok_or_else(|| ApiError::internal(format!("no span before {}", task.id)))?;
    jobs::tasks::set_last(tx, task, first).await?;
    commit_store::set_segments_total(tx, &task.job_id, "video", first).await?;
    if before.state == TaskState::Done.as_str() {
        // It was no last span, so all its rows are full.
        jobs::store::set_end_frame(tx, &task.job_id, latest).await?;
    } else {
        jobs::store::set_end_frame(tx, &task.job_id, told.unwrap_or(latest)).await?;
        jobs::tasks::set_to_end(tx, &before).await?;
    }
    Ok(Outcome::GoesOn)
}
