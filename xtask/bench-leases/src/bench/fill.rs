//! Fills the tables: the prototype's rows, taken off into tables of the bench's own, are multiplied by SQL.
//!
//! Only columns that tell copies apart are named here; all others are copied as they are, whatever the schema has by now.

use anyhow::{Context, Result};
use offpeak_api::ids::JobId;
use offpeak_server::{db::Db, lease::queue};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

/// Teams that the jobs belong to, in turn.
const TEAMS: u64 = 1000;

/// The pattern, and how many copies there are.
pub struct Fill {
    db: Db,
    copies: u64,
    /// Tasks that wait in each copy.
    per_copy: u64,
    /// Virtual time that one copy takes of its team.
    tags_per_copy: f64,
}

/// A table, and what its copies' columns are instead of the prototype's. `copy.n` is the number of the copy, `it` the row.
struct Multiplied {
    table: &'static str,
    changes: Vec<(&'static str, String)>,
}

/// An identifier for a number: as long as a ULID, and only of digits after its beginning.
fn id(prefix: &str, number: &str) -> String {
    format!("'{prefix}_01K0000000BN' || substr(CAST(100000000000000 + {number} AS text), 2)")
}

fn multiplied(tags_from: f64, tags_per_copy: f64, first_copy: u64) -> Vec<Multiplied> {
    let (job, task) = (id("job", "copy.n"), id("task", "(copy.n * 1000000 + it.ordinal)"));
    let team = id("team", &format!("copy.n % {TEAMS}"));
    // Ten priorities in each team.
    let rank = format!("(copy.n + copy.n / {TEAMS}) % 10");
    let tag = format!("it.tag + {tags_from:.6} + ((copy.n - {first_copy}) / {TEAMS}) * {tags_per_copy:.6}");
    let of = |table, changes: &[(&'static str, &String)]| Multiplied {
        table,
        changes: changes.iter().map(|(column, value)| (*column, (*value).clone())).collect(),
    };
    let (priority, slot) = (format!("9 - {rank}"), "it.id % 1000000007 + copy.n * 1000000007".to_owned());
    vec![
        of("job", &[("id", &job), ("team_id", &team), ("priority", &priority)]),
        of("rendition", &[("job_id", &job)]),
        of("segment", &[("job_id", &job)]),
        of("task", &[("id", &task), ("job_id", &job), ("team_id", &team), ("rank", &rank)]),
        of("ready", &[("task_id", &task), ("job_id", &job), ("team_id", &team), ("rank", &rank)]),
        of("slot", &[("id", &slot), ("team_id", &team), ("tag", &tag)]),
    ]
}

impl Fill {
    /// Takes the prototype's rows for a pattern, and its tasks out of the queue.
    pub async fn of(db: &Db, prototype: &JobId) -> Result<Self> {
        let tx = db.write().await?;
        for table in multiplied(0.0, 0.0, 0) {
            let name = table.table;
            let which = match name {
                "job" => format!("id = '{prototype}'"),
                // Nothing else waits yet.
                "slot" => "true".to_owned(),
                "task" => format!("job_id = '{prototype}' AND kind = 'encode'"),
                _ => format!("job_id = '{prototype}'"),
            };
            tx.tx.execute_unprepared(&format!("CREATE TABLE bench_{name} AS SELECT * FROM {name} WHERE {which}")).await?;
        }
        queue::remove_job(&tx.tx, prototype.as_str()).await?;
        let teams = format!(
            "INSERT INTO team (id, name, weight, created_at_ms) {} SELECT {}, 'team ' || copy.n, 1, 0 FROM copy",
            copies(0, TEAMS),
            id("team", "copy.n")
        );
        tx.tx.execute_unprepared(&teams).await?;
        tx.commit().await?;
        let per_copy = number(db, "SELECT count(*) AS number FROM bench_ready").await?.cast_unsigned();
        let row = db.reader.query_one_raw(statement(db, "SELECT max(tag) - min(tag) AS span FROM bench_slot")).await?;
        let span: f64 = row.context("no pattern")?.try_get("", "span")?;
        Ok(Self { db: db.clone(), copies: 0, per_copy, tags_per_copy: span * per_copy as f64 / (per_copy - 1) as f64 })
    }

    /// Adds jobs until at least so many tasks wait.
    pub async fn up_to(&mut self, ready: u64) -> Result<()> {
        let waiting = number(&self.db, "SELECT count(*) AS number FROM ready").await?.cast_unsigned();
        let missing = ready.saturating_sub(waiting).div_ceil(self.per_copy);
        if missing == 0 {
            return Ok(());
        }
        // Behind what is in the queue already, as fair queueing would have it.
        let row = self.db.reader.query_one_raw(statement(&self.db, "SELECT min(tag) AS tag FROM slot")).await?;
        let tags_from: Option<f64> = row.context("no answer")?.try_get("", "tag")?;
        let (first, end) = (self.copies, self.copies + missing);
        let tx = self.db.write().await?;
        if tx.tx.get_database_backend() == DbBackend::Postgres {
            tx.tx.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
        }
        for Multiplied { table, changes } in multiplied(tags_from.unwrap_or(0.0), self.tags_per_copy, first) {
            let columns = columns(&tx.tx, table).await?;
            let values: Vec<String> = columns
                .iter()
                .map(|column| {
                    let change = changes.iter().find(|(changed, _)| changed == column);
                    change.map_or_else(|| format!("it.\"{column}\""), |(_, value)| value.clone())
                })
                .collect();
            let names: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
            let sql = format!(
                "INSERT INTO {table} ({}) {} SELECT {} FROM copy CROSS JOIN bench_{table} AS it",
                names.join(", "),
                copies(first, end),
                values.join(", ")
            );
            tx.tx.execute_unprepared(&sql).await?;
        }
        tx.commit().await?;
        self.copies = end;
        if missing * self.per_copy >= 50_000 {
            self.settle().await?;
        }
        Ok(())
    }

    /// What a database does by itself some time after so many rows came at once.
    async fn settle(&self) -> Result<()> {
        match self.db.reader.get_database_backend() {
            DbBackend::Postgres => {
                for statement in ["VACUUM (ANALYZE) ready", "VACUUM (ANALYZE) slot", "VACUUM (ANALYZE) task", "CHECKPOINT"] {
                    self.db.reader.execute_unprepared(statement).await?;
                }
            }
            _ => {
                self.db.reader.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
            }
        }
        Ok(())
    }
}

fn copies(first: u64, end: u64) -> String {
    format!("WITH RECURSIVE copy(n) AS (SELECT CAST({first} AS bigint) UNION ALL SELECT n + 1 FROM copy WHERE n + 1 < {end})")
}

fn statement(db: &Db, sql: &str) -> Statement {
    Statement::from_string(db.reader.get_database_backend(), sql)
}

async fn number(db: &Db, sql: &str) -> Result<i64> {
    let row = db.reader.query_one_raw(statement(db, sql)).await?;
    Ok(row.context("no answer")?.try_get("", "number")?)
}

async fn columns(db: &impl ConnectionTrait, table: &str) -> Result<Vec<String>> {
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => format!(
            "SELECT column_name::text AS name FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}'"
        ),
        _ => format!("SELECT name FROM pragma_table_info('{table}')"),
    };
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter().map(|row| Ok(row.try_get("", "name")?)).collect()
}
