//! SQL of jobs and their files.

use std::collections::HashMap;

use offpeak_api::{
    facts::{Facts, Warning},
    ids::{JobId, TeamId},
    job::{JobError, JobState, ListJobs},
    plain::one_line,
    webhook::WebhookEvent,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
    sea_query::{Expr, ExprTrait, Func, LikeExpr, Query, SimpleExpr},
};
use serde_json::json;

use super::{JobEvent, playable, states, tasks};
use crate::{
    app::App,
    clock::Instant,
    commit::pins,
    entity::{job, job_event, output_file, rendition, segment, source, task},
    error::ApiError,
    finish,
    lease::{TaskKind, store as lease_store},
    notify,
    plan::{Plan, estimated_work},
    webhooks::outbox,
};

pub async fn get(db: &impl ConnectionTrait, id: &str) -> Result<job::Model, ApiError> {
    job::Entity::find_by_id(id.to_owned()).one(db).await?.ok_or_else(|| not_found(id))
}

pub async fn exists(db: &impl ConnectionTrait, id: &JobId) -> Result<bool, ApiError> {
    Ok(job::Entity::find_by_id(id.to_string()).one(db).await?.is_some())
}

/// The job, locked until the transaction ends.
pub async fn lock(tx: &impl ConnectionTrait, id: &str) -> Result<job::Model, ApiError> {
    try_lock(tx, id).await?.ok_or_else(|| not_found(id))
}

/// As [`lock`]; nothing when the job is gone.
pub async fn try_lock(tx: &impl ConnectionTrait, id: &str) -> Result<Option<job::Model>, ApiError> {
    Ok(job::Entity::find_by_id(id.to_owned()).lock_exclusive().one(tx).await?)
}

/// What the calls of a lease need to know of its job. Facts and plan are long, and not among it.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub struct Stage {
    pub state: String,
    pub playable_at_ms: Option<i64>,
    pub build: Option<String>,
    /// Known once the span that ends the presentation is done.
    pub end_frame: Option<i64>,
    pub planned: bool,
    /// The epochs of its renditions, added up: another sum is another epoch of one of them.
    pub epochs: i64,
}

impl Stage {
    pub fn state(&self) -> Result<JobState, ApiError> {
        Ok(serde_json::from_value(json!(self.state))?)
    }
}

impl Stage {
    /// Its columns, for a query that joins the job.
    pub fn columns() -> [(&'static str, SimpleExpr); 6] {
        let column = |column: job::Column| Expr::col((job::Entity, column));
        let of_job = Expr::col((rendition::Entity, rendition::Column::JobId)).equals((job::Entity, job::Column::Id));
        let mut epochs = Query::select();
        epochs.expr(Expr::cust("COALESCE(SUM(rendition.epoch), 0)")).from(rendition::Entity).and_where(of_job);
        [
            ("state", column(job::Column::State)),
            ("playable_at_ms", column(job::Column::PlayableAtMs)),
            ("build", column(job::Column::Build)),
            ("end_frame", column(job::Column::EndFrame)),
            ("planned", job::Column::Plan.is_not_null()),
            ("epochs", SimpleExpr::SubQuery(None, Box::new(epochs.into()))),
        ]
    }
}

fn stage(id: &str) -> Select<job::Entity> {
    let select = job::Entity::find_by_id(id.to_owned()).select_only();
    Stage::columns().into_iter().fold(select, |select, (name, column)| select.expr_as(column, name))
}

/// That the job is being encoded and nobody knows yet where it ends, as a look that keeps it so until the caller's writes are
/// durable: whoever ends a job, or begins its next stage, has locked it alone.
pub fn is_being_encoded(id: &str) -> Select<job::Entity> {
    job::Entity::find_by_id(id.to_owned())
        .select_only()
        .expr_as(Expr::value(1), "one")
        .filter(job::Column::State.eq(JobState::Encoding.as_str()))
        .filter(job::Column::EndFrame.is_null())
        .lock_shared()
}

pub async fn stage_of(db: &impl ConnectionTrait, id: &str) -> Result<Stage, ApiError> {
    stage(id).into_model().one(db).await?.ok_or_else(|| not_found(id))
}

/// As [`stage_of`], with the job locked until the transaction ends.
pub async fn lock_stage(tx: &impl ConnectionTrait, id: &str) -> Result<Stage, ApiError> {
    stage(id).lock_exclusive().into_model().one(tx).await?.ok_or_else(|| not_found(id))
}

/// A job of this team.
pub async fn find(db: &impl ConnectionTrait, team: &TeamId, id: &JobId) -> Result<job::Model, ApiError> {
    job::Entity::find_by_id(id.to_string())
        .filter(job::Column::TeamId.eq(team.as_str()))
        .one(db)
        .await?
        .ok_or_else(|| not_found(id.as_str()))
}

fn not_found(id: &str) -> ApiError {
    ApiError::not_found("job_not_found", format!("There is no job {id}."))
}

pub fn state_of(job: &job::Model) -> Result<JobState, ApiError> {
    Ok(serde_json::from_value(json!(job.state))?)
}

pub async fn insert(tx: &impl ConnectionTrait, job: job::Model) -> Result<(), ApiError> {
    use sea_orm::IntoActiveModel;
    job.into_active_model().insert(tx).await?;
    Ok(())
}

/// A page of a team's jobs, youngest first, and whether more follow.
pub async fn list(
    db: &impl ConnectionTrait,
    team: &TeamId,
    query: &ListJobs,
    states: &[JobState],
    limit: u64,
) -> Result<(Vec<job::Model>, bool), ApiError> {
    let mut select = job::Entity::find().filter(job::Column::TeamId.eq(team.as_str()));
    if !states.is_empty() {
        select = select.filter(job::Column::State.is_in(states.iter().map(|state| state.as_str())));
    }
    if let Some(profile) = &query.profile {
        select = select.filter(job::Column::ProfileName.eq(profile.as_str()));
    }
    if let Some(source) = &query.source {
        select = select.filter(job::Column::SourceId.eq(source.as_str()));
    }
    if let Some(text) = &query.search {
        select = select.filter(matches(text));
    }
    if let Some(cursor) = &query.cursor {
        select = select.filter(job::Column::Id.lt(cursor.as_str()));
    }
    let mut rows = select.order_by_desc(job::Column::Id).limit(limit + 1).all(db).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok((rows, more))
}

/// That a job has this text in its id, in what its submitter wrote, or in the name or address of its source. SQLite knows only
/// the capitals of A to Z.
fn matches(text: &str) -> Condition {
    let mut pattern = String::from("%");
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    let has = |text: SimpleExpr| Expr::expr(Func::lower(text)).like(LikeExpr::new(pattern.as_str()).escape('\\'));
    let sources = source::Entity::find()
        .select_only()
        .column(source::Column::Id)
        .filter(Condition::any().add(has(Expr::col(source::Column::Filename))).add(has(Expr::col(source::Column::Url))));
    Condition::any()
        .add(has(Expr::col((job::Entity, job::Column::Id))))
        .add(has(Expr::col((job::Entity, job::Column::Metadata)).cast_as("text")))
        .add(job::Column::SourceId.in_subquery(sources.into_query()))
}

/// Names of the sources of these jobs, by source.
pub async fn source_names(db: &impl ConnectionTrait, jobs: &[job::Model]) -> Result<HashMap<String, String>, ApiError> {
    let rows: Vec<(String, Option<String>)> = source::Entity::find()
        .select_only()
        .columns([source::Column::Id, source::Column::Filename])
        .filter(source::Column::Id.is_in(jobs.iter().map(|job| job.source_id.as_str())))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(|(id, filename)| Some((id, filename?))).collect())
}

/// Writes a few columns of a job.
async fn update(tx: &impl ConnectionTrait, id: &str, change: job::ActiveModel) -> Result<(), ApiError> {
    let row = job::ActiveModel { id: Set(id.to_owned()), ..change };
    job::Entity::update(row).exec_without_returning(tx).await?;
    Ok(())
}

/// The state that the job is in after this.
fn next(job: &job::Model, event: JobEvent) -> Result<JobState, ApiError> {
    let state = state_of(job)?;
    states::after(state, event).ok_or_else(|| ApiError::internal(format!("{} is {} and cannot {event:?}", job.id, job.state)))
}

/// A job's first task was leased: if it was queued, it has begun.
pub async fn mark_started(tx: &impl ConnectionTrait, id: &str, now: Instant) -> Result<(), ApiError> {
    let Some(begun) = states::after(JobState::Queued, JobEvent::Begin) else { return Ok(()) };
    job::Entity::update_many()
        .col_expr(job::Column::State, begun.as_str().into())
        .col_expr(job::Column::StartedAtMs, now.ms().into())
        .filter(job::Column::Id.eq(id))
        .filter(job::Column::State.eq(JobState::Queued.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}

/// All segments are there; files are due.
pub async fn set_making_files(tx: &impl ConnectionTrait, job: &job::Model) -> Result<(), ApiError> {
    let state = next(job, JobEvent::MakeFiles)?;
    let change = job::ActiveModel { state: Set(state.as_str().to_owned()), ..Default::default() };
    update(tx, &job.id, change).await
}

pub async fn set_planned(tx: &impl ConnectionTrait, job: &job::Model, facts: &Facts, plan: &Plan) -> Result<(), ApiError> {
    let change = job::ActiveModel {
        facts: Set(Some(plainly(serde_json::to_value(facts)?))),
        plan: Set(Some(serde_json::to_value(plan)?)),
        estimated_work: Set(Some(plan.spans.iter().map(|span| estimated_work(plan, *span)).sum())),
        state: Set(next(job, JobEvent::Plan)?.as_str().to_owned()),
        ..Default::default()
    };
    update(tx, &job.id, change).await
}

pub async fn set_end_frame(tx: &impl ConnectionTrait, job: &str, end_frame: u64) -> Result<(), ApiError> {
    let change = job::ActiveModel { end_frame: Set(Some(end_frame.cast_signed())), ..Default::default() };
    update(tx, job, change).await
}

/// What an engine found in a file may hold anything, and people read it in terminals.
fn plainly(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(one_line(&text)),
        Value::Array(values) => values.into_iter().map(plainly).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (one_line(&name), plainly(value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// A job says at most so much; a film has more kinds of faults than this only when somebody makes them up.
const MOST_WARNINGS: usize = 64;

/// Adds warnings, each code once.
pub async fn add_warnings(tx: &impl ConnectionTrait, job: &str, new: Vec<Warning>) -> Result<(), ApiError> {
    if new.is_empty() {
        return Ok(());
    }
    let mut warnings: Vec<Warning> = serde_json::from_value(get(tx, job).await?.warnings)?;
    for warning in new {
        if warnings.len() >= MOST_WARNINGS {
            break;
        }
        if !warnings.iter().any(|known| known.code == warning.code) {
            warnings.push(warning);
        }
    }
    let change = job::ActiveModel { warnings: Set(plainly(serde_json::to_value(warnings)?)), ..Default::default() };
    update(tx, job, change).await
}

/// Keeps the highest progress that was shown.
pub async fn raise_progress(tx: &impl ConnectionTrait, job: &str, progress: f64) -> Result<(), ApiError> {
    job::Entity::update_many()
        .col_expr(job::Column::Progress, progress.into())
        .filter(job::Column::Id.eq(job))
        .filter(job::Column::Progress.lt(progress))
        .exec(tx)
        .await?;
    Ok(())
}

/// The build of ffmpeg that the job's tasks need.
pub async fn set_build(tx: &impl ConnectionTrait, job: &str, build: Option<&str>) -> Result<(), ApiError> {
    update(tx, job, job::ActiveModel { build: Set(build.map(str::to_owned)), ..Default::default() }).await
}

/// What players had begun to load is gone.
pub async fn set_not_playable(tx: &impl ConnectionTrait, job: &str) -> Result<(), ApiError> {
    update(tx, job, job::ActiveModel { playable_at_ms: Set(None), ..Default::default() }).await
}

/// The job is over, and locked: open tasks are cancelled, leases lost.
pub async fn end(tx: &impl ConnectionTrait, job: &job::Model, event: JobEvent, now: Instant) -> Result<(), ApiError> {
    let state = next(job, event)?;
    let id: JobId = job.id.parse().map_err(ApiError::internal)?;
    lease_store::close_job_tasks(tx, &id, now).await?;
    let progress = if state == JobState::Completed { Set(1.0) } else { Set(job.progress) };
    let change = job::ActiveModel {
        state: Set(state.as_str().to_owned()),
        ended_at_ms: Set(Some(now.ms())),
        progress,
        ..Default::default()
    };
    update(tx, &job.id, change).await
}

/// The job fails, for a reason that a person can act on.
pub async fn fail(app: &App, tx: &impl ConnectionTrait, job: &str, error: &JobError, now: Instant) -> Result<(), ApiError> {
    let job = get(tx, job).await?;
    if state_of(&job)?.is_over() {
        return Ok(());
    }
    end(tx, &job, JobEvent::Fail, now).await?;
    let change = job::ActiveModel { error: Set(Some(serde_json::to_value(error)?)), ..Default::default() };
    update(tx, &job.id, change).await?;
    tracing::info!(job.id, code = error.code, "failed job");
    notify::record(tx, &job.id, "job.failed", json!(error), now).await?;
    outbox::job(app, tx, &job.id, WebhookEvent::JobFailed, now).await
}

/// Where a failed job goes on: files are made once all segments are there.
async fn stage_to_retry(db: &impl ConnectionTrait, job: &job::Model) -> Result<JobEvent, ApiError> {
    if job.plan.is_none() {
        return Ok(JobEvent::RetryFromStart);
    }
    let files = lease_store::tasks_of_job(db, &job.id).await?.iter().any(|task| task.kind == TaskKind::File.as_str());
    Ok(if files { JobEvent::RetryFiles } else { JobEvent::RetrySegments })
}

/// Back to work after a failure: open tasks are ready again, and nobody is blamed any more. What was committed stays.
pub async fn reopen(tx: &impl ConnectionTrait, job: &job::Model) -> Result<(), ApiError> {
    use crate::lease::TaskEvent;
    let state = next(job, stage_to_retry(tx, job).await?)?;
    finish::store::forgive_job(tx, &job.id).await?;
    for task in lease_store::tasks_of_job(tx, &job.id).await? {
        let Some(ready) = lease_store::state_of(&task)?.after(TaskEvent::Retry) else { continue };
        let row = task::ActiveModel {
            id: Set(task.id.clone()),
            state: Set(ready.as_str().to_owned()),
            failures: Set(0),
            ..Default::default()
        };
        task::Entity::update(row).exec_without_returning(tx).await?;
        tasks::wait_again(tx, &task).await?;
    }
    let change = job::ActiveModel {
        state: Set(state.as_str().to_owned()),
        ended_at_ms: Set(None),
        error: Set(None),
        ..Default::default()
    };
    update(tx, &job.id, change).await
}

/// Notes the moment from which a player could start, if it has come. Returns whether one could before.
pub async fn update_playable(app: &App, tx: &impl ConnectionTrait, job: &str, now: Instant) -> Result<bool, ApiError> {
    let stage = stage_of(tx, job).await?;
    if stage.playable_at_ms.is_some() || !stage.planned {
        return Ok(stage.playable_at_ms.is_some());
    }
    if playable::is_playable(&lease_store::tasks_of_job(tx, job).await?) {
        // Two tasks of a job may get there at once.
        let noted = job::Entity::update_many()
            .col_expr(job::Column::PlayableAtMs, now.ms().into())
            .filter(job::Column::Id.eq(job))
            .filter(job::Column::PlayableAtMs.is_null())
            .exec(tx)
            .await?;
        if noted.rows_affected > 0 {
            notify::record(tx, job, "job.playable", json!({}), now).await?;
            outbox::job(app, tx, job, WebhookEvent::JobPlayable, now).await?;
        }
    }
    Ok(false)
}

#[expect(clippy::too_many_arguments, reason = "a row's columns, each with a name of its own")]
pub async fn insert_file(
    tx: &impl ConnectionTrait,
    job: &str,
    name: &str,
    key: &str,
    content_type: &str,
    bytes: u64,
    sha256: &str,
    now: Instant,
) -> Result<(), ApiError> {
    let row = output_file::ActiveModel {
        job_id: Set(job.to_owned()),
        name: Set(name.to_owned()),
        storage_key: Set(key.to_owned()),
        content_type: Set(content_type.to_owned()),
        bytes: Set(bytes.cast_signed()),
        sha256: Set(sha256.to_owned()),
        created_at_ms: Set(now.ms()),
    };
    row.insert(tx).await?;
    Ok(())
}

pub async fn files_of(db: &impl ConnectionTrait, jobs: &[String]) -> Result<Vec<output_file::Model>, ApiError> {
    Ok(output_file::Entity::find()
        .filter(output_file::Column::JobId.is_in(jobs.iter().map(String::as_str)))
        .order_by_asc(output_file::Column::Name)
        .all(db)
        .await?)
}

/// Removes every row of a job but its leases: uploads that are under way may still land below their prefixes, and the
/// sweep of old leases removes those.
pub async fn delete(tx: &impl ConnectionTrait, job: &JobId, now: Instant) -> Result<(), ApiError> {
    let id = job.as_str();
    segment::Entity::delete_many().filter(segment::Column::JobId.eq(id)).exec(tx).await?;
    rendition::Entity::delete_many().filter(rendition::Column::JobId.eq(id)).exec(tx).await?;
    output_file::Entity::delete_many().filter(output_file::Column::JobId.eq(id)).exec(tx).await?;
    finish::store::forgive_job(tx, id).await?;
    pins::forget_votes(tx, id).await?;
    lease_store::abandon(tx, job, now).await?;
    task::Entity::delete_many().filter(task::Column::JobId.eq(id)).exec(tx).await?;
    job_event::Entity::delete_many().filter(job_event::Column::JobId.eq(id)).exec(tx).await?;
    job::Entity::delete_by_id(id.to_owned()).exec(tx).await?;
    Ok(())
}

/// Removes what a cancelled job had made; its own row stays.
pub async fn delete_results(tx: &impl ConnectionTrait, job: &JobId) -> Result<(), ApiError> {
    let id = job.as_str();
    segment::Entity::delete_many().filter(segment::Column::JobId.eq(id)).exec(tx).await?;
    output_file::Entity::delete_many().filter(output_file::Column::JobId.eq(id)).exec(tx).await?;
    pins::forget_votes(tx, id).await?;
    rendition::Entity::delete_many().filter(rendition::Column::JobId.eq(id)).exec(tx).await?;
    Ok(())
}
