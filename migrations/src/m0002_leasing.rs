//! Fair queues of ready tasks, by class of capability; backup leases; deadlines; agents that are not given work.
//!
//! A task that waits has one row in `ready` and its team one anonymous row in `slot`. A claim takes the slot with the least
//! tag, and then that team's first ready task. `flow` remembers where a team's tags have come to.

#![expect(elided_lifetimes_in_paths, reason = "async_trait wants the signature exactly as the trait has it")]

use sea_orm_migration::{
    prelude::{DbErr, Index, IntoIden, MigrationName, MigrationTrait, SchemaManager, Table, TableAlterStatement, async_trait},
    schema::{big_integer, big_integer_null, double, double_null, integer, string, string_null, text_null},
    sea_orm::{ConnectionTrait, DbBackend},
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_leasing"
    }
}

/// Later than any deadline: jobs without one come last among their equals. (Exact as a double, which JSON may make of it.)
const NO_DEADLINE_MS: i64 = 1 << 52;

fn alter(table: &'static str) -> TableAlterStatement {
    Table::alter().table(table.into_iden()).take()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite alters one column at a time.
        for change in new_columns() {
            manager.alter_table(change).await?;
        }
        for (name, table) in [
            ("task_in_order", "task"),
            ("lease_by_state", "lease"),
            ("lease_by_request", "lease"),
            ("lease_of_task", "lease"),
            ("lease_of_job", "lease"),
            ("task_tried", "task"),
        ] {
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        let db = manager.get_connection();
        for statement in queues(db.get_database_backend()) {
            db.execute_unprepared(&statement).await?;
        }
        for statement in FILL {
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

fn new_columns() -> Vec<TableAlterStatement> {
    vec![
        alter("team").add_column(double("weight").default(1.0)).take(),
        // `active`, `draining`, `set_aside` or `revoked`.
        alter("agent").add_column(string("standing").default("active")).take(),
        alter("agent").add_column(text_null("standing_reason")).take(),
        // What it has got done lately, in units of estimated work a second.
        alter("agent").add_column(double_null("work_per_second")).take(),
        alter("job").add_column(big_integer("deadline_ms").default(NO_DEADLINE_MS)).take(),
        // The build of ffmpeg that made the pinned init segments: all of the job's tasks need it.
        alter("job").add_column(string_null("build")).take(),
        // The capability that the task needs, as `lease::rules::classes` names it.
        alter("task").add_column(string("class").default("none")).take(),
        alter("task").add_column(big_integer("deadline_ms").default(NO_DEADLINE_MS)).take(),
        // The tag of the slot that it was last claimed with: it comes back with that.
        alter("task").add_column(double("tag").default(0.0)).take(),
        alter("task").add_column(string_null("backup_lease_id")).take(),
        // Those of the task, so that virtual time can be read off what is in service.
        alter("lease").add_column(string("class").default("none")).take(),
        alter("lease").add_column(double("tag").default(0.0)).take(),
        // `cursor` of the task when the lease was granted: the holder counts its frames from there.
        alter("lease").add_column(integer("from_row").default(0)).take(),
        alter("lease").add_column(big_integer_null("suspended_at_ms")).take(),
        alter("lease").add_column(text_null("suspended_reason")).take(),
    ]
}

/// Tables and indexes that the two databases want in words of their own. Identifiers are compared as bytes: on PostgreSQL
/// the default collation would order them by the rules of a language, at several times the cost.
fn queues(backend: DbBackend) -> Vec<String> {
    let (text, real, integer, clustered) = match backend {
        DbBackend::Postgres => (r#"text COLLATE "C""#, "double precision", "bigint", ""),
        // The primary key is the table: one tree instead of two.
        _ => ("text", "real", "integer", " WITHOUT ROWID"),
    };
    let mut statements = vec![
        format!(
            "CREATE TABLE ready (class {text} NOT NULL, team_id {text} NOT NULL, rank {integer} NOT NULL, \
             deadline_ms {integer} NOT NULL, job_id {text} NOT NULL, ordinal {integer} NOT NULL, task_id {text} NOT NULL, \
             build {text} NOT NULL DEFAULT '', \
             PRIMARY KEY (class, team_id, rank, deadline_ms, job_id, ordinal, task_id)){clustered}"
        ),
        format!(
            "CREATE TABLE slot (class {text} NOT NULL, tag {real} NOT NULL, id {integer} NOT NULL, team_id {text} NOT NULL, \
             PRIMARY KEY (class, tag, id)){clustered}"
        ),
        "CREATE INDEX slot_of_team ON slot (class, team_id, tag)".to_owned(),
        format!("CREATE TABLE flow (team_id {text} NOT NULL PRIMARY KEY, last_tag {real} NOT NULL)"),
        "CREATE INDEX ready_of_job ON ready (job_id)".to_owned(),
        "CREATE UNIQUE INDEX lease_by_request ON lease (agent_id, request_id)".to_owned(),
        "CREATE INDEX task_open ON task (job_id) WHERE state IN ('ready', 'leased')".to_owned(),
        "CREATE INDEX task_tried ON task (id) WHERE failures > 0 AND state = 'ready'".to_owned(),
        // Only leases that are held are looked through, and they are few. Their expiry is in no index, so that a heartbeat
        // touches none.
        "CREATE INDEX lease_active ON lease (class, tag) WHERE state = 'active'".to_owned(),
        "CREATE INDEX lease_active_of_job ON lease (job_id) WHERE state = 'active'".to_owned(),
        "CREATE INDEX lease_active_of_agent ON lease (agent_id) WHERE state = 'active'".to_owned(),
    ];
    if backend == DbBackend::Postgres {
        // Rows come and go by the thousand: what is dead must leave the left edge of the indexes soon.
        statements.extend(["ready", "slot"].map(|table| {
            format!(
                "ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, \
                 autovacuum_vacuum_cost_delay = 0)"
            )
        }));
        // Room for new versions of a row on its own page: an update then touches no index.
        statements.extend(["task", "lease"].map(|table| format!("ALTER TABLE {table} SET (fillfactor = 70)")));
    }
    statements
}

/// What an earlier version left waiting goes into the queues, in one class of encoders and with equal tags.
const FILL: [&str; 4] = [
    "UPDATE task SET class = CASE kind WHEN 'audio' THEN 'aac' WHEN 'encode' THEN 'libx264:1g' ELSE 'none' END",
    "UPDATE task SET ordinal = 100 + first WHERE kind = 'encode'",
    "INSERT INTO ready (class, team_id, rank, deadline_ms, job_id, ordinal, task_id) \
     SELECT class, team_id, rank, deadline_ms, job_id, ordinal, id FROM task WHERE state = 'ready'",
    "INSERT INTO slot (class, tag, id, team_id) \
     SELECT class, 0, row_number() OVER (ORDER BY task_id), team_id FROM ready",
];
