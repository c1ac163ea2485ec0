//! SQL of figures over jobs.

use std::collections::BTreeMap;

use offpeak_api::{figures::JobFigures, ids::TeamId, job::JobState};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Select,
    sea_query::{Expr, ExprTrait},
};
use serde_json::json;

use super::seconds_made;
use crate::{clock::Instant, entity::job, error::ApiError, plan::Plan};

const OPEN: [JobState; 4] = [JobState::Queued, JobState::Probing, JobState::Encoding, JobState::Finishing];

#[derive(Debug, Default, FromQueryResult)]
struct Sums {
    film: Option<f64>,
    renditions: Option<f64>,
    working: Option<f64>,
}

/// Counts and sums of a team's jobs; what ended in `[from, to)`.
pub async fn figures(db: &impl ConnectionTrait, team: &TeamId, from: Instant, to: Instant) -> Result<JobFigures, ApiError> {
    let of_team = || job::Entity::find().filter(job::Column::TeamId.eq(team.as_str())).select_only();
    let open = of_team().filter(job::Column::State.is_in(OPEN.map(JobState::as_str)));
    let ended = || of_team().filter(job::Column::EndedAtMs.gte(from.ms())).filter(job::Column::EndedAtMs.lt(to.ms()));
    let working = Expr::col(job::Column::EndedAtMs).sub(Expr::col(job::Column::StartedAtMs));
    let sums = ended()
        .filter(job::Column::State.eq(JobState::Completed.as_str()))
        .column_as(job::Column::FilmSeconds.sum(), "film")
        .column_as(job::Column::RenditionSeconds.sum(), "renditions")
        // Sums of integers are of another type in each of the databases.
        .column_as(working.cast_as("double precision").sum(), "working")
        .into_model::<Sums>()
        .one(db)
        .await?
        .unwrap_or_default();
    Ok(JobFigures {
        from: from.to_utc(),
        to: to.to_utc(),
        open: by_state(db, open).await?,
        ended: by_state(db, ended()).await?,
        film_seconds: sums.film.unwrap_or(0.0),
        rendition_seconds: sums.renditions.unwrap_or(0.0),
        working_seconds: sums.working.unwrap_or(0.0) / 1000.0,
    })
}

async fn by_state(db: &impl ConnectionTrait, jobs: Select<job::Entity>) -> Result<BTreeMap<JobState, u64>, ApiError> {
    let rows: Vec<(String, i64)> = jobs
        .column(job::Column::State)
        .column_as(job::Column::Id.count(), "jobs")
        .group_by(job::Column::State)
        .into_tuple()
        .all(db)
        .await?;
    rows.into_iter().map(|(state, jobs)| Ok((serde_json::from_value(json!(state))?, jobs.cast_unsigned()))).collect()
}

/// Writes what a job made, when it is completed.
pub async fn note(tx: &impl ConnectionTrait, job: &job::Model) -> Result<(), ApiError> {
    let Some(plan) = job.plan.clone().map(serde_json::from_value::<Plan>).transpose()? else { return Ok(()) };
    let (film, renditions) = seconds_made(&plan, job.end_frame);
    job::Entity::update_many()
        .col_expr(job::Column::FilmSeconds, film.into())
        .col_expr(job::Column::RenditionSeconds, renditions.into())
        .filter(job::Column::Id.eq(job.id.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}
