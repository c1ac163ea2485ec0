//! SQL of estimates. Nothing here goes over a whole queue: teams are counted by the tags of their slots, and of one team's
//! queue only the beginning is read.

use std::collections::{BTreeMap, HashMap};

use offpeak_api::{agent::AgentState, ids::TeamId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Statement, Value,
};

use crate::{
    clock::Instant,
    entity::{fleet_sample, source},
    error::ApiError,
    finish::failure::AGENT_GONE_AFTER,
    lease::{TaskKind, rules::classes},
};

fn statement(db: &impl ConnectionTrait, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

/// `$first, $first+1, …`, `count` of them.
fn parameters(first: usize, count: usize) -> String {
    let names: Vec<String> = (first..first + count).map(|n| format!("${n}")).collect();
    names.join(", ")
}

/// Work that is not committed, of a row of `task`.
const WORK_LEFT: &str = "CASE WHEN task.last > task.first THEN task.estimated_work * (task.last - task.cursor) / (task.last - task.first) \
     ELSE task.estimated_work END";

/// Agents that are available, and how fast those are that have encoded something.
#[derive(Debug, Clone, Copy, PartialEq, FromQueryResult)]
pub struct Available {
    pub machines: i64,
    pub measured: i64,
    /// Mean and mean square of what each gets done in a second under one lease.
    pub mean: Option<f64>,
    pub mean_square: Option<f64>,
    pub slowest: Option<f64>,
}

pub async fn available(db: &impl ConnectionTrait, now: Instant) -> Result<Available, ApiError> {
    let states: Vec<&str> = AgentState::ALL.into_iter().filter(|state| state.is_available()).map(AgentState::as_str).collect();
    let sql = format!(
        "SELECT count(*) AS machines, count(work_per_second) AS measured, avg(work_per_second) AS mean, \
         avg(work_per_second * work_per_second) AS mean_square, min(work_per_second) AS slowest \
         FROM agent WHERE standing = 'active' AND last_seen_at_ms >= $1 AND state IN ({})",
        parameters(2, states.len())
    );
    let values = [Value::from((now - AGENT_GONE_AFTER).ms())].into_iter().chain(states.into_iter().map(Value::from));
    let found = Available::find_by_statement(statement(db, &sql, values)).one(db).await?;
    Ok(found.unwrap_or(Available { machines: 0, measured: 0, mean: None, mean_square: None, slowest: None }))
}

/// Spans in progress, on machines that were heard of and do not stand still.
#[derive(Debug, Clone, Copy, PartialEq, Default, FromQueryResult)]
pub struct InProgress {
    pub leases: i64,
    pub machines: i64,
    pub work: Option<f64>,
    pub work_per_second: Option<f64>,
}

pub async fn in_progress(db: &impl ConnectionTrait, now: Instant) -> Result<InProgress, ApiError> {
    let sql = format!(
        "SELECT count(*) AS leases, count(DISTINCT lease.agent_id) AS machines, sum({WORK_LEFT}) AS work, \
         sum(agent.work_per_second) AS work_per_second \
         FROM lease JOIN task ON task.id = lease.task_id JOIN agent ON agent.id = lease.agent_id \
         WHERE lease.state = 'active' AND task.kind = 'encode' AND lease.expires_at_ms >= $1 \
         AND lease.holder_state <> 'suspended'"
    );
    Ok(InProgress::find_by_statement(statement(db, &sql, [now.ms().into()])).one(db).await?.unwrap_or_default())
}

/// A team with waiting work.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TeamWaiting {
    pub weight: f64,
    /// As its tags tell.
    pub work: f64,
    /// Tasks that need no encoder: nearly all of them stand for jobs that are not planned.
    pub light_tasks: u32,
    /// In which it waits.
    pub classes: Vec<String>,
}

/// Light tasks of a team are counted up to here.
const MOST_COUNTED: u32 = 1000;

/// Teams that have work waiting. A few looks by key for each class and team, however much waits.
pub async fn teams_waiting(db: &impl ConnectionTrait) -> Result<BTreeMap<String, TeamWaiting>, ApiError> {
    #[derive(FromQueryResult)]
    struct Row {
        class: String,
        team_id: String,
        weight: f64,
        last_tag: f64,
        least_tag: Option<f64>,
        light_tasks: i64,
    }
    let next = |column: &str| {
        format!(
            "(SELECT slot.{column} FROM slot WHERE (slot.class, slot.team_id) > (known.class, known.team_id) \
             ORDER BY slot.class, slot.team_id LIMIT 1)"
        )
    };
    let light = classes::needed(TaskKind::Probe, 0);
    let sql = format!(
        "WITH RECURSIVE known(class, team_id) AS ( \
         SELECT least.class, least.team_id FROM (SELECT class, team_id FROM slot ORDER BY class, team_id LIMIT 1) AS least \
         UNION ALL SELECT {}, {} FROM known WHERE known.class IS NOT NULL) \
         SELECT known.class, known.team_id, team.weight, flow.last_tag, \
         (SELECT min(slot.tag) FROM slot WHERE slot.class = known.class AND slot.team_id = known.team_id) AS least_tag, \
         (SELECT count(*) FROM (SELECT 1 FROM slot WHERE slot.class = $1 AND slot.class = known.class \
         AND slot.team_id = known.team_id LIMIT {MOST_COUNTED}) AS counted) AS light_tasks \
         FROM known JOIN team ON team.id = known.team_id JOIN flow ON flow.team_id = known.team_id \
         WHERE known.class IS NOT NULL",
        next("class"),
        next("team_id"),
    );
    let mut teams: BTreeMap<String, TeamWaiting> = BTreeMap::new();
    for row in Row::find_by_statement(statement(db, &sql, [light.into()])).all(db).await? {
        // Tags are running sums of work over weight: what waits lies between the first that waits and the end of all.
        let work = row.least_tag.map_or(0.0, |least| (row.last_tag - least) * row.weight);
        let team = teams.entry(row.team_id).or_default();
        team.weight = row.weight;
        team.work = team.work.max(work);
        team.light_tasks += u32::try_from(row.light_tasks).unwrap_or(0);
        team.classes.push(row.class);
    }
    Ok(teams)
}

/// The tasks of one job that wait.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub struct JobWaiting {
    pub rank: i64,
    pub deadline_ms: i64,
    pub job_id: String,
    pub work: f64,
    /// 1 when it waits to be fetched or probed.
    pub unplanned: i32,
}

/// How much of a team's queue is read, in each class.
const QUEUE_READ: u64 = 10_000;

/// A team's waiting jobs in their order, as far as it is read; and whether that was all.
pub async fn queue_of(db: &impl ConnectionTrait, team: &str, classes: &[String]) -> Result<(Vec<JobWaiting>, bool), ApiError> {
    let sql = format!(
        "SELECT waiting.rank, waiting.deadline_ms, waiting.job_id, sum({WORK_LEFT}) AS work, count(*) AS tasks, \
         max(CASE WHEN task.kind IN ('fetch', 'probe') THEN 1 ELSE 0 END) AS unplanned \
         FROM (SELECT rank, deadline_ms, job_id, task_id FROM ready WHERE class = $1 AND team_id = $2 \
         ORDER BY rank, deadline_ms, job_id, ordinal, task_id LIMIT {QUEUE_READ}) AS waiting \
         JOIN task ON task.id = waiting.task_id WHERE task.state = 'ready' \
         GROUP BY waiting.rank, waiting.deadline_ms, waiting.job_id"
    );
    let (mut jobs, mut whole) = (BTreeMap::<(i64, i64, String), JobWaiting>::new(), true);
    for class in classes {
        let mut tasks = 0;
        for row in db.query_all_raw(statement(db, &sql, [class.as_str().into(), team.into()])).await? {
            let read = JobWaiting::from_query_result(&row, "")?;
            tasks += row.try_get::<i64>("", "tasks")?.cast_unsigned();
            let key = (read.rank, read.deadline_ms, read.job_id.clone());
            let job = jobs.entry(key).or_insert_with(|| JobWaiting { work: 0.0, unplanned: 0, ..read.clone() });
            job.work += read.work;
            job.unplanned = job.unplanned.max(read.unplanned);
        }
        whole &= tasks < QUEUE_READ;
    }
    Ok((jobs.into_values().collect(), whole))
}

/// The tasks of a job that nobody holds: its spans, and how many others.
#[derive(Debug, Clone, PartialEq, Default, FromQueryResult)]
pub struct TasksWaiting {
    pub job_id: String,
    pub spans: i64,
    pub work: f64,
    pub others: i64,
}

pub async fn tasks_waiting(db: &impl ConnectionTrait, jobs: &[&str]) -> Result<HashMap<String, TasksWaiting>, ApiError> {
    if jobs.is_empty() {
        return Ok(HashMap::new());
    }
    // In the words of the index of open tasks, and then exactly.
    let sql = format!(
        "SELECT task.job_id, sum(CASE WHEN task.kind = 'encode' THEN 1 ELSE 0 END) AS spans, \
         sum(CASE WHEN task.kind = 'encode' THEN {WORK_LEFT} ELSE 0.0 END) AS work, \
         sum(CASE WHEN task.kind = 'encode' THEN 0 ELSE 1 END) AS others FROM task WHERE task.job_id IN ({}) \
         AND task.state IN ('ready', 'leased') AND task.state = 'ready' GROUP BY task.job_id",
        parameters(1, jobs.len())
    );
    let values = jobs.iter().map(|job| Value::from(*job));
    let rows = TasksWaiting::find_by_statement(statement(db, &sql, values)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.job_id.clone(), row)).collect())
}

/// A job that was completed.
#[derive(Debug, Clone, Copy, PartialEq, FromQueryResult)]
pub struct Completed {
    pub estimated_work: Option<f64>,
    pub source_bytes: Option<i64>,
    pub rows: Option<i32>,
    /// Milliseconds from when its files were due until the last was there.
    pub files_ms: Option<i64>,
}

/// The last jobs of a profile that came to their end.
pub async fn completed(db: &impl ConnectionTrait, team: &TeamId, profile: &str, limit: u64) -> Result<Vec<Completed>, ApiError> {
    let sql = format!(
        "SELECT job.estimated_work, source.length AS source_bytes, \
         (SELECT max(rendition.segments_total) FROM rendition WHERE rendition.job_id = job.id AND rendition.kind = 'video') AS rows, \
         (SELECT max(task.done_at_ms) - min(task.created_at_ms) FROM task WHERE task.job_id = job.id AND task.kind = 'file') \
         AS files_ms \
         FROM job JOIN source ON source.id = job.source_id \
         WHERE job.team_id = $1 AND job.profile_name = $2 AND job.state = 'completed' \
         ORDER BY job.ended_at_ms DESC LIMIT {limit}"
    );
    let found = Completed::find_by_statement(statement(db, &sql, [team.as_str().into(), profile.into()])).all(db).await?;
    Ok(found)
}

/// Machines that were available, minute by minute.
pub async fn available_since(db: &impl ConnectionTrait, since: Instant) -> Result<Vec<f64>, ApiError> {
    let rows: Vec<serde_json::Value> = fleet_sample::Entity::find()
        .select_only()
        .column(fleet_sample::Column::Machines)
        .filter(fleet_sample::Column::MinuteMs.gte(since.ms()))
        .order_by_asc(fleet_sample::Column::MinuteMs)
        .into_tuple()
        .all(db)
        .await?;
    let of_states = |machines: serde_json::Value| -> f64 {
        let machines: BTreeMap<AgentState, u64> = serde_json::from_value(machines).unwrap_or_default();
        machines.iter().filter(|(state, _)| state.is_available()).map(|(_, count)| *count as f64).sum()
    };
    Ok(rows.into_iter().map(of_states).collect())
}

/// The length of sources, as far as it is known.
pub async fn bytes_of(db: &impl ConnectionTrait, sources: &[&str]) -> Result<HashMap<String, u64>, ApiError> {
    if sources.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, Option<i64>)> = source::Entity::find()
        .select_only()
        .column(source::Column::Id)
        .column(source::Column::Length)
        .filter(source::Column::Id.is_in(sources.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(|(id, length)| Some((id, length?.cast_unsigned()))).collect())
}
