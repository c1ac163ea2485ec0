//! What agents hold, and how fast they are at it.

use std::collections::HashMap;

use offpeak_api::lease::Progress;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect,
    sea_query::{Expr, Query},
};

use crate::{
    entity::{job, lease, task},
    error::ApiError,
    lease::TaskKind,
};

/// A lease that is active, with its task's place.
#[derive(Debug, Clone, FromQueryResult)]
pub struct Row {
    pub lease_id: String,
    pub agent_id: String,
    pub job_id: String,
    pub task_id: String,
    pub kind: String,
    pub progress: Option<serde_json::Value>,
    pub holder_state: String,
    pub created_at_ms: i64,
    pub expires_at_ms: i64,
    pub first: i32,
    pub cursor: i32,
    pub last: i32,
    pub estimated_work: f64,
}

/// The frame grid of a job that is planned.
#[derive(Debug, Clone, Copy, PartialEq, FromQueryResult)]
pub struct Grid {
    pub rate_num: f64,
    pub rate_den: f64,
    pub frames_per_segment: f64,
}

#[derive(Debug, Clone)]
pub struct Held {
    pub row: Row,
    pub speed: Speed,
    /// Estimated work that is not committed.
    pub work_left: f64,
}

/// How fast a holder is, or many together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Speed {
    pub frames_per_second: f64,
    /// Seconds of video encoded in a second.
    pub real_time: f64,
    /// Estimated work done in a second.
    pub work_per_second: f64,
}

impl std::iter::Sum for Speed {
    fn sum<I: Iterator<Item = Self>>(speeds: I) -> Self {
        speeds.fold(Self::default(), |sum, speed| Self {
            frames_per_second: sum.frames_per_second + speed.frames_per_second,
            real_time: sum.real_time + speed.real_time,
            work_per_second: sum.work_per_second + speed.work_per_second,
        })
    }
}

/// What these agents hold; all of them, when none are named. Two queries for any number.
pub async fn held(db: &impl ConnectionTrait, agents: Option<&[String]>) -> Result<Vec<Held>, ApiError> {
    let task_of_lease = lease::Entity::belongs_to(task::Entity).from(lease::Column::TaskId).to(task::Column::Id);
    let mut select = lease::Entity::find()
        .select_only()
        .column_as(lease::Column::Id, "lease_id")
        .columns([lease::Column::AgentId, lease::Column::JobId, lease::Column::TaskId, lease::Column::Progress])
        .columns([lease::Column::HolderState, lease::Column::CreatedAtMs, lease::Column::ExpiresAtMs])
        .columns([task::Column::Kind, task::Column::First, task::Column::Cursor, task::Column::Last])
        .column(task::Column::EstimatedWork)
        .join(JoinType::InnerJoin, task_of_lease.into())
        .filter(is_active());
    if let Some(agents) = agents {
        select = select.filter(lease::Column::AgentId.is_in(agents.iter().map(String::as_str)));
    }
    let rows = select.into_model::<Row>().all(db).await?;
    let grids = if rows.is_empty() { HashMap::new() } else { grids(db, agents).await? };
    Ok(rows.into_iter().map(|row| assess(grids.get(&row.job_id).copied(), row)).collect())
}

/// Said in so many words, and not as a parameter: the index of active leases is a partial one.
fn is_active() -> Expr {
    Expr::cust("lease.state = 'active'")
}

/// The grids of the jobs that are at work. Plans are long, and only three numbers of each are fetched.
async fn grids(db: &impl ConnectionTrait, agents: Option<&[String]>) -> Result<HashMap<String, Grid>, ApiError> {
    #[derive(FromQueryResult)]
    struct JobGrid {
        id: String,
        rate_num: Option<f64>,
        rate_den: Option<f64>,
        frames_per_segment: Option<f64>,
    }
    let number = |path: [&str; 3]| match db.get_database_backend() {
        DbBackend::Postgres => {
            let steps: String = path.iter().filter(|step| !step.is_empty()).map(|step| format!(",{step}")).collect();
            Expr::cust(format!("CAST(plan #>> '{{{}}}' AS double precision)", &steps[1..]))
        }
        _ => {
            let steps: String = path.iter().filter(|step| !step.is_empty()).map(|step| format!(".{step}")).collect();
            Expr::cust(format!("CAST(json_extract(plan, '${steps}') AS real)"))
        }
    };
    let mut at_work = Query::select();
    at_work.column(lease::Column::JobId).from(lease::Entity).and_where(is_active());
    if let Some(agents) = agents {
        at_work.and_where(lease::Column::AgentId.is_in(agents.iter().map(String::as_str)));
    }
    let rows = job::Entity::find()
        .select_only()
        .column(job::Column::Id)
        .column_as(number(["grid", "rate", "num"]), "rate_num")
        .column_as(number(["grid", "rate", "den"]), "rate_den")
        .column_as(number(["grid", "frames_per_segment", ""]), "frames_per_segment")
        .filter(job::Column::Plan.is_not_null())
        .filter(job::Column::Id.in_subquery(at_work))
        .into_model::<JobGrid>()
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let (rate_num, rate_den, frames_per_segment) = (row.rate_num?, row.rate_den?, row.frames_per_segment?);
            Some((row.id, Grid { rate_num, rate_den, frames_per_segment }))
        })
        .collect())
}

/// Speed and what is left, from what the holder says and the task's row.
fn assess(grid: Option<Grid>, row: Row) -> Held {
    let progress: Progress = row.progress.clone().and_then(|json| serde_json::from_value(json).ok()).unwrap_or_default();
    if row.kind != TaskKind::Encode.as_str() {
        // Other work is next to nothing, and its frames are no pictures.
        return Held { work_left: row.estimated_work, speed: Speed::default(), row };
    }
    let work_of_row = row.estimated_work / f64::from((row.last - row.first).max(1));
    let work_left = work_of_row * f64::from((row.last - row.cursor).max(0));
    let frames_per_second = if row.holder_state == "suspended" { 0.0 } else { progress.frames_per_second };
    let speed = grid.map_or(Speed::default(), |grid| Speed {
        frames_per_second,
        real_time: frames_per_second * grid.rate_den / grid.rate_num,
        work_per_second: frames_per_second / grid.frames_per_segment * work_of_row,
    });
    Held { row, speed, work_left }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: &str, holder_state: &str) -> Row {
        Row {
            lease_id: String::new(),
            agent_id: String::new(),
            job_id: String::new(),
            task_id: String::new(),
            kind: kind.to_owned(),
            progress: Some(serde_json::json!({ "frames_per_second": 60.0 })),
            holder_state: holder_state.to_owned(),
            created_at_ms: 0,
            expires_at_ms: 0,
            first: 2,
            cursor: 5,
            last: 12,
            estimated_work: 1000.0,
        }
    }

    #[test]
    fn speed_is_what_the_holder_says_by_what_its_frames_are_worth() {
        let grid = Some(Grid { rate_num: 30_000.0, rate_den: 1001.0, frames_per_segment: 150.0 });
        let held = assess(grid, row("encode", "encoding"));
        assert!((held.speed.real_time - 2.002).abs() < 1e-9);
        // A hundred for each of ten rows; sixty frames are two fifths of one.
        assert!((held.speed.work_per_second - 40.0).abs() < 1e-9);
        assert!((held.work_left - 700.0).abs() < 1e-9);
        assert_eq!(assess(grid, row("encode", "suspended")).speed, Speed::default());
        assert_eq!(assess(grid, row("audio", "encoding")).speed, Speed::default());
        assert_eq!(assess(None, row("encode", "encoding")).speed, Speed::default());
    }
}
