//! What the product's engines do between the calls of a cycle, and this bench does behind the server's back: the bytes that a
//! commit names must be in storage. Uploading is another call; so the client learns its lease's random prefix from the
//! database and writes a tiny file where an upload would have put it.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use offpeak_server::auth::random_name;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, Value};

use super::slice::Worker;

/// The bytes of every segment.
pub const SEGMENT: &[u8] = b"a tiny segment";

/// A way into the server's storage and database. Clones share the connections.
#[derive(Clone)]
pub struct Side {
    pub db: DatabaseConnection,
    pub storage: PathBuf,
}

impl Side {
    /// Puts an object of a lease into storage.
    pub async fn store(&self, job: &str, lease: &str, rendition: &str, name: &str) -> Result<()> {
        let prefix = self.prefix(lease).await?;
        self.write(job, &prefix, rendition, name)
    }

    async fn prefix(&self, lease: &str) -> Result<String> {
        let sql = "SELECT prefix FROM lease WHERE id = $1";
        let values = [Value::from(lease)];
        let row = self.db.query_one_raw(Statement::from_sql_and_values(self.db.get_database_backend(), sql, values)).await?;
        Ok(row.context("a lease without a row")?.try_get("", "prefix")?)
    }

    fn write(&self, job: &str, prefix: &str, rendition: &str, name: &str) -> Result<()> {
        let folder = self.storage.join(format!("jobs/{job}/{prefix}-0/{rendition}"));
        // Three system calls: not worth a thread of their own.
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(name), SEGMENT)?;
        Ok(())
    }

    /// Some leases and their jobs, to measure with.
    pub async fn some_leases(&self) -> Result<Vec<(String, String)>> {
        let sql = "SELECT id, job_id FROM lease LIMIT 1000";
        let rows = self.db.query_all_raw(Statement::from_string(self.db.get_database_backend(), sql)).await?;
        rows.iter().map(|row| Ok((row.try_get("", "id")?, row.try_get("", "job_id")?))).collect()
    }
}

/// Nothing but the work beside the calls.
pub struct SideWorker {
    pub side: Side,
    pub leases: Arc<Vec<(String, String)>>,
    pub next: usize,
}

impl Worker for SideWorker {
    async fn turn(&mut self) -> Result<Vec<Duration>> {
        let began = Instant::now();
        let (lease, job) = &self.leases[self.next % self.leases.len()];
        self.next += 1;
        self.side.prefix(lease).await?;
        self.side.write(job, &random_name(16), "v", "0.m4s")?;
        Ok(vec![began.elapsed()])
    }
}
