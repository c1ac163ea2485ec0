//! SQL of who holds what, how far they are, and how fast they have been.

use std::collections::{BTreeSet, HashMap};

use offpeak_api::{ids::AgentId, lease::Progress};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany,
    sea_query::{Expr, Query, SimpleExpr},
};

use super::queue::Claimant;
use crate::{
    entity::{agent, failure, job, lease, task},
    error::ApiError,
};

/// The condition of the indexes that cover active leases only. With the state as a parameter neither database would know that
/// they can serve.
pub fn is_active() -> SimpleExpr {
    Expr::cust("lease.state = 'active'")
}

/// Leases that are looked at for one request: the oldest, among which the stragglers are.
const LOOKED_AT: u64 = 1000;

/// Leases on tasks of the claimant's classes that it may take, with the tasks and what their holders got done in the past.
pub async fn held_in_classes(
    db: &impl ConnectionTrait,
    who: Claimant<'_>,
) -> Result<Vec<(lease::Model, task::Model, Option<f64>)>, ApiError> {
    let failed_before = Query::select()
        .expr(Expr::value(1))
        .from(failure::Entity)
        .and_where(Expr::col((failure::Entity, failure::Column::TaskId)).equals((lease::Entity, lease::Column::TaskId)))
        .and_where(failure::Column::AgentId.eq(who.agent.as_str()))
        .to_owned();
    let leases = lease::Entity::find()
        .filter(is_active())
        .filter(lease::Column::Class.is_in(who.classes.iter().map(String::as_str)))
        .filter(Expr::exists(failed_before).not())
        .order_by_asc(lease::Column::Id)
        .limit(LOOKED_AT)
        .all(db)
        .await?;
    if leases.is_empty() {
        return Ok(Vec::new());
    }
    let of = |ids: BTreeSet<&str>| ids.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let tasks = task::Entity::find().filter(task::Column::Id.is_in(of(leases.iter().map(|l| l.task_id.as_str()).collect())));
    let tasks: HashMap<String, task::Model> = tasks.all(db).await?.into_iter().map(|task| (task.id.clone(), task)).collect();
    let builds: HashMap<String, Option<String>> = job::Entity::find()
        .select_only()
        .column(job::Column::Id)
        .column(job::Column::Build)
        .filter(job::Column::Id.is_in(of(leases.iter().map(|l| l.job_id.as_str()).collect())))
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let speeds: HashMap<String, Option<f64>> = agent::Entity::find()
        .select_only()
        .column(agent::Column::Id)
        .column(agent::Column::WorkPerSecond)
        .filter(agent::Column::Id.is_in(of(leases.iter().map(|l| l.agent_id.as_str()).collect())))
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let held = leases.into_iter().filter_map(|lease| {
        let task = tasks.get(&lease.task_id)?;
        let is_primary = task.lease_id.as_ref() == Some(&lease.id);
        let build = builds.get(&lease.job_id)?.as_deref().filter(|_| task.class != "none");
        let speed = speeds.get(&lease.agent_id).copied().flatten();
        (is_primary && build.is_none_or(|build| build == who.build)).then(|| (lease, task.clone(), speed))
    });
    Ok(held.collect())
}

/// What the holder told with its last heartbeat.
pub fn progress_of(lease: &lease::Model) -> Option<Progress> {
    lease.progress.clone().and_then(|json| serde_json::from_value(json).ok())
}

/// What an agent got done in the past, in units of estimated work a second. The outer `None` is one that is given no work.
pub async fn speed_of_active(db: &impl ConnectionTrait, agent: &AgentId) -> Result<Option<Option<f64>>, ApiError> {
    let row = agent::Entity::find_by_id(agent.to_string()).one(db).await?;
    Ok(row.filter(|agent| agent.standing == "active").map(|agent| agent.work_per_second))
}

/// A task succeeded under this agent: what it failed before is forgiven (a standing stays), and `work_per_second`, of a span,
/// is taken into its speed: the mean of the past and the present, so that a machine that was upgraded or got slow is known
/// after a few.
pub fn success(agent: &str, work_per_second: Option<f64>) -> UpdateMany<agent::Entity> {
    let forgiven = agent::Entity::update_many()
        .col_expr(agent::Column::FailedJobs, Expr::value(""))
        .col_expr(agent::Column::TimesSetAside, Expr::value(0))
        .filter(agent::Column::Id.eq(agent));
    let Some(speed) = work_per_second else {
        return forgiven.filter(agent::Column::FailedJobs.ne(""));
    };
    let past = Expr::col(agent::Column::WorkPerSecond);
    let mean = Expr::case(past.clone().is_null(), speed).finally(past.add(speed).div(2.0));
    forgiven.col_expr(agent::Column::WorkPerSecond, mean.into())
}
