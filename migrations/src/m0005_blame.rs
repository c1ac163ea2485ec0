//! What failures say, leases that expire again and again, and renditions that begin again.

#![expect(elided_lifetimes_in_paths, reason = "async_trait wants the signature exactly as the trait has it")]

use sea_orm_migration::{
    prelude::{DbErr, Index, IntoIden, MigrationName, MigrationTrait, SchemaManager, Table, TableAlterStatement, async_trait},
    schema::{big_integer, integer, string, string_null},
    sea_orm::ConnectionTrait,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0005_blame"
    }
}

fn alter(table: &'static str) -> TableAlterStatement {
    Table::alter().table(table.into_iden()).take()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for change in [
            // The rows that were left of the task: tails are cut off later, and cursors move on.
            alter("failure").add_column(string("task_kind").default("")).take(),
            alter("failure").add_column(integer("first").default(0)).take(),
            alter("failure").add_column(integer("last").default(0)).take(),
            // Who pinned the init segment.
            alter("rendition").add_column(string_null("init_agent_id")).take(),
        ] {
            manager.alter_table(change).await?;
        }
        let (mut vote_key, mut silence_key) = (Index::create(), Index::create());
        let tables = [
            // An agent's init segment that was not the pinned one.
            Table::create()
                .table("init_vote")
                .col(string("job_id"))
                .col(string("rendition"))
                .col(integer("epoch"))
                .col(string("agent_id"))
                .col(string("build"))
                .col(string("fingerprint"))
                .primary_key(vote_key.col("job_id").col("rendition").col("epoch").col("agent_id"))
                .take(),
            // How often an agent's lease of a task ran out, with nothing committed and without a word afterwards.
            Table::create()
                .table("silence")
                .col(string("job_id"))
                .col(string("task_id"))
                .col(string("agent_id"))
                .col(integer("times"))
                .primary_key(silence_key.col("job_id").col("task_id").col("agent_id"))
                .take(),
            // When an agent with a build of ffmpeg that jobs are pinned to was last heard of.
            Table::create().table("build_seen").col(string("build").primary_key()).col(big_integer("seen_at_ms")).take(),
        ];
        for table in tables {
            manager.create_table(table).await?;
        }
        let pinned = "CREATE INDEX job_pinned ON job (build) WHERE state = 'encoding' AND build IS NOT NULL";
        manager.get_connection().execute_unprepared(pinned).await?;
        Ok(())
    }
}
