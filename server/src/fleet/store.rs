//! SQL of the fleet's figures and samples.

use std::collections::{BTreeMap, BTreeSet};

use offpeak_api::{
    agent::AgentState,
    fleet::{ClassQueue, FleetSample, FleetSpeed, Queue},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Statement, Value,
    sea_query::{Expr, OnConflict},
};

use crate::{
    agents::held::{self, Speed},
    clock::Instant,
    entity::fleet_sample,
    error::ApiError,
    finish::failure::AGENT_GONE_AFTER,
};

/// What the figures are made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Now {
    pub machines: BTreeMap<AgentState, u64>,
    /// Machines in an available state that are given work.
    pub available: u64,
    pub speed: FleetSpeed,
    pub queue: Queue,
    pub leased_work: f64,
}

/// A few queries that read every agent, every active lease and every waiting task once.
pub async fn now(db: &impl ConnectionTrait, now: Instant) -> Result<Now, ApiError> {
    let mut figures = Now { queue: queue(db).await?, ..Now::default() };
    for (state, standing, agents) in machines(db, now).await? {
        *figures.machines.entry(state).or_default() += agents;
        if state.is_available() && standing == "active" {
            figures.available += agents;
        }
    }
    let held = held::held(db, None).await?;
    figures.leased_work = held.iter().map(|held| held.work_left).sum();
    // A holder whose time ran out is probably gone.
    let at_work = held.iter().filter(|held| held.row.expires_at_ms >= now.ms() && held.speed.frames_per_second > 0.0);
    let encoding: BTreeSet<&str> = at_work.clone().map(|held| held.row.agent_id.as_str()).collect();
    let speed: Speed = at_work.map(|held| held.speed).sum();
    figures.speed =
        FleetSpeed { encoding: encoding.len() as u64, real_time: speed.real_time, work_per_second: speed.work_per_second };
    Ok(figures)
}

/// Agents by state and standing, revoked ones left out. As `agents::history::shown` has it.
async fn machines(db: &impl ConnectionTrait, now: Instant) -> Result<Vec<(AgentState, String, u64)>, ApiError> {
    let sql = "SELECT shown, standing, count(*) AS agents FROM ( \
               SELECT CASE WHEN last_seen_at_ms < $1 THEN 'offline' ELSE state END AS shown, standing \
               FROM agent WHERE standing <> 'revoked') AS agents GROUP BY shown, standing";
    let rows = all(db, sql, [(now - AGENT_GONE_AFTER).ms().into()]).await?;
    let rows = rows.into_iter().map(|row| {
        let state: String = row.try_get("", "shown")?;
        let agents: i64 = row.try_get("", "agents")?;
        let state = AgentState::parse(&state).unwrap_or(AgentState::Waiting);
        Ok::<_, sea_orm::DbErr>((state, row.try_get("", "standing")?, agents.cast_unsigned()))
    });
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What waits, by class. A task that was begun counts with what is left of it; one that is held by somebody whose time ran
/// out waits and is held, and counts as held.
async fn queue(db: &impl ConnectionTrait) -> Result<Queue, ApiError> {
    let sql = "SELECT ready.class, count(*) AS tasks, \
               sum(CASE WHEN last > first THEN estimated_work * (last - cursor) / (last - first) ELSE estimated_work END) AS work \
               FROM ready JOIN task ON task.id = ready.task_id WHERE task.state = 'ready' GROUP BY ready.class ORDER BY ready.class";
    let rows = all(db, sql, []).await?;
    let classes = rows.into_iter().map(|row| {
        let tasks: i64 = row.try_get("", "tasks")?;
        Ok::<_, sea_orm::DbErr>(ClassQueue {
            class: row.try_get("", "class")?,
            tasks: tasks.cast_unsigned(),
            work: row.try_get("", "work")?,
        })
    });
    let classes = classes.collect::<Result<Vec<_>, _>>()?;
    Ok(Queue {
        tasks: classes.iter().map(|class| class.tasks).sum(),
        work: classes.iter().map(|class| class.work).sum(),
        classes,
    })
}

async fn all<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<Vec<sea_orm::QueryResult>, ApiError> {
    Ok(db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?)
}

/// What one machine did in a second while it encoded, on average since then.
pub async fn machine_speed(db: &impl ConnectionTrait, since: Instant) -> Result<Option<f64>, ApiError> {
    #[derive(FromQueryResult)]
    struct Sums {
        work: Option<f64>,
        machines: Option<i64>,
    }
    let sums = fleet_sample::Entity::find()
        .select_only()
        .column_as(fleet_sample::Column::WorkPerSecond.sum(), "work")
        .column_as(fleet_sample::Column::Encoding.sum(), "machines")
        .filter(fleet_sample::Column::MinuteMs.gte(since.ms()))
        .into_model::<Sums>()
        .one(db)
        .await?;
    Ok(sums.and_then(|sums| {
        let machines = sums.machines.filter(|machines| *machines > 0)?;
        Some(sums.work? / machines as f64)
    }))
}

pub async fn is_sampled(db: &impl ConnectionTrait, minute: Instant) -> Result<bool, ApiError> {
    Ok(fleet_sample::Entity::find_by_id(minute.ms()).one(db).await?.is_some())
}

/// Keeps a sample, unless another server was faster.
pub async fn insert(tx: &impl ConnectionTrait, minute: Instant, figures: &Now) -> Result<(), ApiError> {
    let row = fleet_sample::ActiveModel {
        minute_ms: Set(minute.ms()),
        machines: Set(serde_json::to_value(&figures.machines)?),
        real_time_speed: Set(figures.speed.real_time),
        work_per_second: Set(figures.speed.work_per_second),
        encoding: Set(i32::try_from(figures.speed.encoding).unwrap_or(i32::MAX)),
        leased_work: Set(figures.leased_work),
        queued_work: Set(figures.queue.work),
        queue: Set(serde_json::to_value(&figures.queue)?),
    };
    fleet_sample::Entity::insert(row)
        .on_conflict(OnConflict::column(fleet_sample::Column::MinuteMs).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

pub async fn forget(tx: &impl ConnectionTrait, before: Instant) -> Result<(), ApiError> {
    fleet_sample::Entity::delete_many().filter(fleet_sample::Column::MinuteMs.lt(before.ms())).exec(tx).await?;
    Ok(())
}

/// Samples in `[from, to)`, of every `step`-th minute.
pub async fn samples(
    db: &impl ConnectionTrait,
    from: Instant,
    to: Instant,
    step_minutes: i64,
) -> Result<Vec<FleetSample>, ApiError> {
    let rows = fleet_sample::Entity::find()
        .filter(fleet_sample::Column::MinuteMs.gte(from.ms()))
        .filter(fleet_sample::Column::MinuteMs.lt(to.ms()))
        .filter(Expr::cust(format!("minute_ms % {} = 0", step_minutes * 60_000)))
        .order_by_asc(fleet_sample::Column::MinuteMs)
        .all(db)
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(FleetSample {
                at: Instant(row.minute_ms).to_utc(),
                machines: serde_json::from_value(row.machines)?,
                speed: FleetSpeed {
                    encoding: u64::try_from(row.encoding).unwrap_or(0),
                    real_time: row.real_time_speed,
                    work_per_second: row.work_per_second,
                },
                queue: serde_json::from_value(row.queue)?,
                leased_work: row.leased_work,
            })
        })
        .collect()
}
