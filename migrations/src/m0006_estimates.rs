//! What estimates of a job's end are made from, progress that never goes back, and which process of an engine holds a lease.

#![expect(elided_lifetimes_in_paths, reason = "async_trait wants the signature exactly as the trait has it")]

use sea_orm_migration::{
    prelude::{DbErr, IntoIden, MigrationName, MigrationTrait, SchemaManager, Table, TableAlterStatement, async_trait},
    schema::{big_integer, double_null, integer, string_null, text},
    sea_orm::ConnectionTrait,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0006_estimates"
    }
}

fn alter(table: &'static str) -> TableAlterStatement {
    Table::alter().table(table.into_iden()).take()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for change in [
            // Of all of the job's spans, as planned.
            alter("job").add_column(double_null("estimated_work")).take(),
            // What had been committed of the rendition when it began again.
            alter("rendition").add_column(integer("kept_segments").default(0)).take(),
            alter("rendition").add_column(big_integer("kept_frames").default(0)).take(),
            alter("rendition").add_column(big_integer("kept_bytes").default(0)).take(),
            // The process that asked for the lease, as it calls itself.
            alter("lease").add_column(string_null("instance")).take(),
            // The processes that asked under this agent's name last, oldest first: words, separated by spaces.
            alter("agent").add_column(text("instances").default("")).take(),
        ] {
            manager.alter_table(change).await?;
        }
        let db = manager.get_connection();
        for statement in STATEMENTS {
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

const STATEMENTS: [&str; 2] = [
    "UPDATE job SET estimated_work = (SELECT sum(estimated_work) FROM task WHERE task.job_id = job.id AND task.kind = 'encode') \
     WHERE plan IS NOT NULL",
    // The last jobs of a profile that came to their end: how much work they were.
    "CREATE INDEX job_completed ON job (team_id, profile_name, ended_at_ms) WHERE state = 'completed'",
];
