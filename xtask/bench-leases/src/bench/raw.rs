//! The ceiling: the same three transactions, with the least SQL that does them on the same schema, and no HTTP.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use offpeak_api::ids::{AgentId, LeaseId};
use offpeak_server::{
    auth::random_name,
    clock::Clock,
    db::Db,
    lease::queue::{self, Claimant, Claimed},
};
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};

use super::slice::Worker;

/// On PostgreSQL each has a connection, on SQLite they share the server's own way to write: one writer, and group commit.
pub struct RawWorker {
    pub db: Db,
    pub agent: AgentId,
    pub classes: Vec<String>,
    pub build: String,
    pub sha256: String,
}

/// What a claim leads to.
pub struct Held {
    lease: String,
    task: String,
    job: String,
    row: i32,
}

impl Worker for RawWorker {
    async fn turn(&mut self) -> Result<Vec<Duration>> {
        let began = Instant::now();
        let held = self.lease().await?;
        let leased = began.elapsed();
        self.commit(&held).await?;
        let committed = began.elapsed();
        self.complete(&held).await?;
        Ok(vec![leased, committed - leased, began.elapsed() - committed])
    }
}

impl RawWorker {
    async fn lease(&self) -> Result<Held> {
        let tx = self.db.write().await?;
        let claimed = self.claim(&tx.tx).await?;
        let held = self.grant(&tx.tx, &claimed).await?;
        tx.commit().await?;
        Ok(held)
    }

    pub async fn claim(&self, tx: &impl ConnectionTrait) -> Result<Claimed> {
        let who = Claimant { agent: &self.agent, classes: &self.classes, build: &self.build };
        queue::claim(tx, who).await.map_err(|error| anyhow::anyhow!("{error:?}"))?.context("the queue ran dry")
    }

    pub async fn grant(&self, tx: &impl ConnectionTrait, claimed: &Claimed) -> Result<Held> {
        let (lease, now) = (LeaseId::new().to_string(), Clock::system().now().ms());
        let sql = "UPDATE task SET state = 'leased', lease_id = $2, tag = $3 WHERE id = $1 AND state = 'ready' \
                   RETURNING job_id, class, \"first\"";
        let task = claimed.task_id.as_str();
        let row = one(tx, sql, [task.into(), lease.as_str().into(), claimed.tag.into()]).await?;
        let (job, row): (String, i32) = (row.try_get("", "job_id")?, row.try_get("", "first")?);
        let sql = "INSERT INTO lease (id, task_id, job_id, agent_id, request_id, state, class, tag, prefix, holder_state, \
                   created_at_ms, expires_at_ms) VALUES ($1, $2, $3, $4, $5, 'active', $6, $7, $8, 'encoding', $9, $10)";
        let values = [
            lease.as_str().into(),
            task.into(),
            job.as_str().into(),
            self.agent.as_str().into(),
            random_name(12).into(),
            self.classes[0].as_str().into(),
            claimed.tag.into(),
            random_name(16).into(),
            now.into(),
            (now + 30_000).into(),
        ];
        exactly_one(tx, sql, values).await?;
        Ok(Held { lease, task: task.to_owned(), job, row })
    }

    async fn commit(&self, held: &Held) -> Result<()> {
        let now = Clock::system().now().ms();
        let tx = self.db.write().await?;
        // Fenced: whoever lost the lease changes nothing.
        let renew = "UPDATE lease SET expires_at_ms = $2 WHERE id = $1 AND state = 'active'";
        exactly_one(&tx.tx, renew, [held.lease.as_str().into(), (now + 30_000).into()]).await?;
        let segment = "INSERT INTO segment (job_id, rendition, epoch, \"index\", storage_key, frames, start_ticks, duration_ticks, \
                       bytes, sha256, lease_id, created_at_ms) VALUES ($1, 'raw', 0, $2, $3, 50, 0, 100, 14, $4, $5, $6)";
        let values = [
            held.job.as_str().into(),
            held.row.into(),
            format!("jobs/{}/{}/{}.m4s", held.job, held.lease, held.row).into(),
            self.sha256.as_str().into(),
            held.lease.as_str().into(),
            now.into(),
        ];
        exactly_one(&tx.tx, segment, values).await?;
        exactly_one(&tx.tx, "UPDATE task SET cursor = cursor + 1 WHERE id = $1", [held.task.as_str().into()]).await?;
        Ok(tx.commit().await?)
    }

    async fn complete(&self, held: &Held) -> Result<()> {
        let now = Clock::system().now().ms();
        let tx = self.db.write().await?;
        let end = "UPDATE lease SET state = 'completed', ended_at_ms = $2 WHERE id = $1 AND state = 'active'";
        exactly_one(&tx.tx, end, [held.lease.as_str().into(), now.into()]).await?;
        let done = "UPDATE task SET state = 'done', lease_id = NULL, done_at_ms = $2 WHERE id = $1";
        exactly_one(&tx.tx, done, [held.task.as_str().into(), now.into()]).await?;
        Ok(tx.commit().await?)
    }
}

fn statement<const N: usize>(db: &impl ConnectionTrait, sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

async fn one<const N: usize>(db: &impl ConnectionTrait, sql: &str, values: [Value; N]) -> Result<QueryResult> {
    db.query_one_raw(statement(db, sql, values)).await?.context("a row is missing")
}

async fn exactly_one<const N: usize>(db: &impl ConnectionTrait, sql: &str, values: [Value; N]) -> Result<()> {
    let done = db.execute_raw(statement(db, sql, values)).await?;
    ensure!(done.rows_affected() == 1, "{} rows instead of one: {sql}", done.rows_affected());
    Ok(())
}
