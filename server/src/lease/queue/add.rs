//! Tasks that begin to wait.

use sea_orm::{ConnectionTrait, EntityTrait, Value};

use super::{parameters, statement};
use crate::{
    entity::{task, team},
    error::ApiError,
    lease::rules::fair::{self, Signs},
};

/// A task on its way into the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    pub task_id: String,
    pub job_id: String,
    pub class: String,
    pub rank: i32,
    pub deadline_ms: i64,
    pub ordinal: i32,
    /// Estimated work, for its team's account.
    pub cost: f64,
}

/// Rows in one statement: twenty thousand parameters would be allowed.
const ROWS_AT_ONCE: usize = 500;

/// Puts new tasks of a team into the queue, at the team's cost.
pub async fn add(tx: &impl ConnectionTrait, team_id: &str, tasks: &[Waiting]) -> Result<(), ApiError> {
    if tasks.is_empty() {
        return Ok(());
    }
    let weight = team::Entity::find_by_id(team_id.to_owned()).one(tx).await?.map_or(fair::USUAL_WEIGHT, |team| team.weight);
    let sql = "INSERT INTO flow (team_id, last_tag) VALUES ($1, 0) ON CONFLICT (team_id) DO UPDATE SET team_id = $1 \
               RETURNING last_tag";
    // The update changes nothing; it locks the team's account until this transaction ends.
    let account = tx.query_one_raw(statement(tx, sql, [team_id.into()])).await?;
    let mut last_tag: f64 = account.map(|row| row.try_get("", "last_tag")).transpose()?.unwrap_or(0.0);

    let mut slots = Vec::with_capacity(tasks.len());
    for of_class in tasks.chunk_by(|a, b| a.class == b.class) {
        let costs: Vec<f64> = of_class.iter().map(|task| task.cost).collect();
        let now = virtual_time(tx, &of_class[0].class).await?;
        let (tags, end) = fair::tags(last_tag, weight, now, &costs);
        slots.extend(of_class.iter().zip(tags).map(|(task, tag)| (task.class.as_str(), tag)));
        last_tag = end;
    }
    for chunk in tasks.chunks(ROWS_AT_ONCE) {
        insert_ready(tx, team_id, chunk).await?;
    }
    for chunk in slots.chunks(ROWS_AT_ONCE) {
        insert_slots(tx, team_id, chunk).await?;
    }
    let sql = "UPDATE flow SET last_tag = $2 WHERE team_id = $1";
    tx.execute_raw(statement(tx, sql, [team_id.into(), last_tag.into()])).await?;
    Ok(())
}

/// Puts a task back that was claimed before: it was charged for then.
pub async fn put_back(tx: &impl ConnectionTrait, task: &task::Model) -> Result<(), ApiError> {
    let waiting = Waiting {
        task_id: task.id.clone(),
        job_id: task.job_id.clone(),
        class: task.class.clone(),
        rank: task.rank,
        deadline_ms: task.deadline_ms,
        ordinal: task.ordinal,
        cost: 0.0,
    };
    insert_ready(tx, &task.team_id, std::slice::from_ref(&waiting)).await?;
    insert_slots(tx, &task.team_id, &[(task.class.as_str(), task.tag)]).await
}

async fn insert_ready(tx: &impl ConnectionTrait, team_id: &str, tasks: &[Waiting]) -> Result<(), ApiError> {
    const COLUMNS: usize = 7;
    // What takes an encoder needs the build of ffmpeg that its job began with, once there is one.
    let rows: Vec<String> = (0..tasks.len())
        .map(|n| {
            let first = n * COLUMNS + 1;
            let (class, job) = (first, first + 4);
            let build = format!("coalesce((SELECT build FROM job WHERE job.id = ${job} AND ${class} <> 'none'), '')");
            format!("({}, {build})", parameters(first, COLUMNS))
        })
        .collect();
    let sql = format!(
        "INSERT INTO ready (class, team_id, rank, deadline_ms, job_id, ordinal, task_id, build) VALUES {}",
        rows.join(", ")
    );
    let values = tasks.iter().flat_map(|task| -> [Value; COLUMNS] {
        [
            task.class.as_str().into(),
            team_id.into(),
            i64::from(task.rank).into(),
            task.deadline_ms.into(),
            task.job_id.as_str().into(),
            i64::from(task.ordinal).into(),
            task.task_id.as_str().into(),
        ]
    });
    tx.execute_raw(statement(tx, &sql, values)).await?;
    Ok(())
}

async fn insert_slots(tx: &impl ConnectionTrait, team_id: &str, slots: &[(&str, f64)]) -> Result<(), ApiError> {
    const COLUMNS: usize = 4;
    let rows: Vec<String> = (0..slots.len()).map(|n| format!("({})", parameters(n * COLUMNS + 1, COLUMNS))).collect();
    let sql = format!("INSERT INTO slot (class, tag, id, team_id) VALUES {}", rows.join(", "));
    let values = slots.iter().flat_map(|(class, tag)| -> [Value; COLUMNS] {
        // Anonymous: a random number tells equal tags apart, and says nothing of which came first.
        [(*class).into(), (*tag).into(), rand::random_range(0..i64::MAX).into(), team_id.into()]
    });
    tx.execute_raw(statement(tx, &sql, values)).await?;
    Ok(())
}

/// The present in virtual time, for new work of a class. Asks only for the signs that count.
async fn virtual_time(tx: &impl ConnectionTrait, class: &str) -> Result<f64, ApiError> {
    let one = async |sql: &str, values: Vec<Value>| -> Result<Option<f64>, ApiError> {
        let row = tx.query_one_raw(statement(tx, sql, values)).await?;
        Ok(row.map(|row| row.try_get::<Option<f64>>("", "tag")).transpose()?.flatten())
    };
    let mut signs = Signs {
        in_service_in_class: one("SELECT max(tag) AS tag FROM lease WHERE state = 'active' AND class = $1", vec![class.into()])
            .await?,
        ..Signs::default()
    };
    if signs.in_service_in_class.is_none() {
        signs.in_service = one("SELECT max(tag) AS tag FROM lease WHERE state = 'active'", vec![]).await?;
    }
    if signs == Signs::default() {
        signs.least_waiting = one(LEAST_WAITING, vec![]).await?;
    }
    if signs == Signs::default() {
        signs.greatest_last_tag = one("SELECT max(last_tag) AS tag FROM flow", vec![]).await?;
    }
    Ok(fair::virtual_time(signs))
}

/// The least tag of each class by the key, from class to class: there are a handful of classes, and perhaps a million slots.
const LEAST_WAITING: &str = "WITH RECURSIVE known(class) AS ( \
    SELECT min(class) FROM slot UNION ALL \
    SELECT (SELECT min(slot.class) FROM slot WHERE slot.class > known.class) FROM known WHERE known.class IS NOT NULL) \
    SELECT min((SELECT min(slot.tag) FROM slot WHERE slot.class = known.class)) AS tag FROM known WHERE known.class IS NOT NULL";
