//! Many tasks claimed in one transaction, straight on PostgreSQL: what a call for several leases at once could reach.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use offpeak_api::ids::LeaseId;
use offpeak_server::{auth::random_name, clock::Clock, lease::queue::Claimed};
use sea_orm::{ConnectionTrait, Statement, Value};

use super::{raw::RawWorker, slice::Worker};

/// Claims `size` tasks, one by one, and grants them all at once, in one transaction. Nothing becomes of them.
pub struct BatchWorker {
    pub raw: RawWorker,
    pub size: usize,
}

impl Worker for BatchWorker {
    async fn turn(&mut self) -> Result<Vec<Duration>> {
        let began = Instant::now();
        let tx = self.raw.db.write().await?;
        let mut claimed = Vec::with_capacity(self.size);
        for _ in 0..self.size {
            claimed.push(self.raw.claim(&tx.tx).await?);
        }
        self.grant(&tx.tx, &claimed).await?;
        tx.commit().await?;
        Ok(vec![began.elapsed()])
    }
}

impl BatchWorker {
    async fn grant(&self, tx: &impl ConnectionTrait, claimed: &[Claimed]) -> Result<()> {
        const COLUMNS: usize = 5;
        let rows: Vec<String> = (0..claimed.len())
            .map(|n| n * COLUMNS)
            .map(|n| format!("(${}, ${}, ${}::double precision, ${}, ${})", n + 3, n + 4, n + 5, n + 6, n + 7))
            .collect();
        let sql = format!(
            "WITH given(task, lease, tag, request, prefix) AS (VALUES {}), \
             granted AS (UPDATE task SET state = 'leased', lease_id = given.lease, tag = given.tag FROM given \
                 WHERE task.id = given.task AND task.state = 'ready' RETURNING given.*, task.job_id, task.class) \
             INSERT INTO lease (id, task_id, job_id, agent_id, request_id, state, class, tag, prefix, holder_state, \
                 created_at_ms, expires_at_ms) \
             SELECT lease, task, job_id, $1, request, 'active', class, tag, prefix, 'encoding', $2, $2 + 30000 FROM granted",
            rows.join(", ")
        );
        let fixed: [Value; 2] = [self.raw.agent.as_str().into(), Clock::system().now().ms().into()];
        let values = fixed.into_iter().chain(claimed.iter().flat_map(|claimed| -> [Value; COLUMNS] {
            [
                claimed.task_id.as_str().into(),
                LeaseId::new().to_string().into(),
                claimed.tag.into(),
                random_name(12).into(),
                random_name(16).into(),
            ]
        }));
        let done = tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
        ensure!(done.rows_affected() == claimed.len() as u64, "not every claimed task was there to be granted");
        Ok(())
    }
}
