//! SQL of figures over jobs.

use std::collections::{BTreeMap, HashMap};

use offpeak_api::{
    figures::JobFigures,
    ids::{AgentId, TeamId},
    job::JobState,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Select, Statement,
    sea_query::{Expr, ExprTrait},
};
use serde_json::json;

use super::{alone, seconds_made};
use crate::{
    clock::Instant,
    entity::{agent, job, task},
    error::ApiError,
    jobs::map,
    lease::TaskKind,
    plan::Plan,
};

const OPEN: [JobState; 4] = [JobState::Queued, JobState::Probing, JobState::Encoding, JobState::Finishing];

#[derive(Debug, Default, FromQueryResult)]
struct Sums {
    film: Option<f64>,
    renditions: Option<f64>,
    working: Option<f64>,
    one_machine: Option<f64>,
}

/// For how long any of the jobs was worked on whose encodes are known for one machine: each adds what lies behind the end of all
/// that began before it.
const ELAPSED: &str = "SELECT CAST(SUM(CASE WHEN earlier IS NULL OR earlier <= began THEN ended - began \
     WHEN earlier < ended THEN ended - earlier ELSE 0 END) AS double precision) AS elapsed FROM \
     (SELECT started_at_ms AS began, ended_at_ms AS ended, MAX(ended_at_ms) OVER \
         (ORDER BY started_at_ms, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS earlier \
      FROM job WHERE team_id = $1 AND ended_at_ms >= $2 AND ended_at_ms < $3 \
         AND one_machine_seconds IS NOT NULL AND started_at_ms IS NOT NULL) AS runs";

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
        .column_as(job::Column::OneMachineSeconds.sum(), "one_machine")
        // Sums of integers are of another type in each of the databases.
        .column_as(working.cast_as("double precision").sum(), "working")
        .into_model::<Sums>()
        .one(db)
        .await?
        .unwrap_or_default();
    let of_range = [team.as_str().into(), from.ms().into(), to.ms().into()];
    let elapsed = Statement::from_sql_and_values(db.get_database_backend(), ELAPSED, of_range);
    let elapsed = db.query_one_raw(elapsed).await?.map(|row| row.try_get::<Option<f64>>("", "elapsed")).transpose()?.flatten();
    Ok(JobFigures {
        from: from.to_utc(),
        to: to.to_utc(),
        open: by_state(db, open).await?,
        ended: by_state(db, ended()).await?,
        film_seconds: sums.film.unwrap_or(0.0),
        rendition_seconds: sums.renditions.unwrap_or(0.0),
        working_seconds: sums.working.unwrap_or(0.0) / 1000.0,
        one_machine_seconds: sums.one_machine.unwrap_or(0.0),
        elapsed_seconds: elapsed.unwrap_or(0.0) / 1000.0,
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

/// What the encodes of a job would have taken on one machine.
async fn alone_seconds(db: &impl ConnectionTrait, job: &job::Model, plan: &Plan) -> Result<Option<f64>, ApiError> {
    let encode = TaskKind::Encode.as_str();
    let work: Option<Option<f64>> = task::Entity::find()
        .select_only()
        .column_as(task::Column::EstimatedWork.sum(), "work")
        .filter(task::Column::JobId.eq(job.id.as_str()))
        .filter(task::Column::Kind.eq(encode))
        .into_tuple()
        .one(db)
        .await?;
    let mut segments: HashMap<AgentId, usize> = HashMap::new();
    for maker in map::makers(&map::store::told(db, &job.id).await?, encode, plan.segments).into_iter().flatten() {
        *segments.entry(maker).or_default() += 1;
    }
    let speeds: Vec<(String, Option<f64>)> = agent::Entity::find()
        .select_only()
        .column(agent::Column::Id)
        .column(agent::Column::WorkPerSecond)
        .filter(agent::Column::Id.is_in(segments.keys().map(AgentId::as_str)))
        .into_tuple()
        .all(db)
        .await?;
    let speeds: HashMap<String, Option<f64>> = speeds.into_iter().collect();
    let makers = segments.into_iter().map(|(agent, made)| (made, speeds.get(agent.as_str()).copied().flatten()));
    Ok(alone(work.flatten().unwrap_or(0.0), &makers.collect::<Vec<_>>()))
}

/// Writes what a job made, when it is completed.
pub async fn note(tx: &impl ConnectionTrait, job: &job::Model) -> Result<(), ApiError> {
    let Some(plan) = job.plan.clone().map(serde_json::from_value::<Plan>).transpose()? else { return Ok(()) };
    let (film, renditions) = seconds_made(&plan, job.end_frame);
    let alone = alone_seconds(tx, job, &plan).await?;
    job::Entity::update_many()
        .col_expr(job::Column::OneMachineSeconds, alone.into())
        .col_expr(job::Column::FilmSeconds, film.into())
        .col_expr(job::Column::RenditionSeconds, renditions.into())
        .filter(job::Column::Id.eq(job.id.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}
