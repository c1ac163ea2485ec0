//! Teams and tokens, sources, jobs, tasks, leases, and what was committed.

#![expect(elided_lifetimes_in_paths, reason = "async_trait wants the signature exactly as the trait has it")]

use sea_orm_migration::{
    prelude::{
        ColumnDef, DbErr, Index, IndexCreateStatement, MigrationName, MigrationTrait, SchemaManager, Table, TableCreateStatement,
        async_trait,
    },
    schema::{
        big_integer, big_integer_null, big_pk_auto, blob_null, boolean, double, integer, integer_null, json, json_null, string,
        string_null, string_uniq, text, text_null,
    },
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_spine"
    }
}

fn id() -> ColumnDef {
    string("id").primary_key().take()
}

fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).if_not_exists().take()
}

fn primary_key(columns: &[&'static str]) -> IndexCreateStatement {
    let mut key = Index::create();
    for column in columns {
        key.col(*column);
    }
    key
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in people_and_settings().into_iter().chain(work()).chain(results()) {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn people_and_settings() -> Vec<TableCreateStatement> {
    vec![
        table("setting").col(string("name").primary_key()).col(text("value")).take(),
        table("team").col(id()).col(string("name")).col(big_integer("created_at_ms")).take(),
        table("token")
            .col(id())
            .col(string("team_id"))
            // `program`, `agent` or `enrol`.
            .col(string("kind"))
            .col(string("name"))
            // SHA-256 of the secret, in hex: the secret has 160 random bits, so nothing slower is needed.
            .col(string_uniq("hash"))
            .col(string_null("agent_id"))
            .col(integer_null("uses_left"))
            .col(big_integer_null("expires_at_ms"))
            .col(big_integer("created_at_ms"))
            .take(),
        table("agent")
            .col(id())
            .col(string("team_id"))
            .col(string("name"))
            .col(json_null("capabilities"))
            .col(big_integer("created_at_ms"))
            .col(big_integer("last_seen_at_ms"))
            .take(),
        table("profile")
            .col(string("team_id"))
            .col(string("name"))
            .col(json("document"))
            .col(big_integer("created_at_ms"))
            .primary_key(&mut primary_key(&["team_id", "name"]))
            .take(),
    ]
}

fn work() -> Vec<TableCreateStatement> {
    vec![
        table("source")
            .col(id())
            .col(string("team_id"))
            // `uploading`, `ready` or `deleted`.
            .col(string("state"))
            .col(string_null("filename"))
            .col(text_null("url"))
            // Unknown until the end for an upload whose length is deferred.
            .col(big_integer_null("length"))
            .col(big_integer("received"))
            // SHA-256's inner state after `received` bytes, so that any server can go on with the hash.
            .col(blob_null("hash_state"))
            .col(string_null("sha256"))
            .col(text_null("metadata"))
            .col(big_integer("created_at_ms"))
            .col(big_integer("expires_at_ms"))
            .take(),
        table("job")
            .col(id())
            .col(string("team_id"))
            .col(string("source_id"))
            .col(string("profile_name"))
            // The profile as it was when the job was made.
            .col(json("profile"))
            .col(string("state"))
            .col(integer("priority"))
            .col(json("metadata"))
            .col(json_null("facts"))
            .col(json_null("plan"))
            .col(json("warnings"))
            .col(json_null("error"))
            // The length of the presentation, in frames, once the last span told it.
            .col(big_integer_null("end_frame"))
            .col(double("progress"))
            .col(big_integer("created_at_ms"))
            .col(big_integer_null("started_at_ms"))
            .col(big_integer_null("playable_at_ms"))
            .col(big_integer_null("ended_at_ms"))
            .take(),
        table("task")
            .col(id())
            .col(string("job_id"))
            .col(string("team_id"))
            // `fetch`, `probe`, `audio`, `encode` or `file`.
            .col(string("kind"))
            // `ready`, `leased`, `done`, `failed` or `cancelled`.
            .col(string("state"))
            // 9 minus the job's priority, so that one ascending index gives the order of work.
            .col(integer("rank"))
            .col(integer("ordinal"))
            .col(integer("first"))
            .col(integer("cursor"))
            .col(integer("last"))
            .col(boolean("to_end"))
            .col(json("spec"))
            .col(double("estimated_work"))
            .col(string_null("lease_id"))
            .col(integer("failures"))
            .col(big_integer("created_at_ms"))
            .col(big_integer_null("done_at_ms"))
            .take(),
        table("lease")
            .col(id())
            .col(string("task_id"))
            .col(string("job_id"))
            .col(string("agent_id"))
            .col(string("request_id"))
            // `active`, or how it ended: `completed`, `released`, `failed`, `lost`.
            .col(string("state"))
            // Storage prefix of everything that this lease uploads: random, and not the lease's id, because it shows in addresses.
            .col(string("prefix"))
            .col(json_null("progress"))
            .col(string("holder_state"))
            .col(big_integer("created_at_ms"))
            .col(big_integer("expires_at_ms"))
            .col(big_integer_null("ended_at_ms"))
            .take(),
        table("failure")
            .col(big_pk_auto("id"))
            .col(string("task_id"))
            .col(string("job_id"))
            .col(string("agent_id"))
            .col(string("code"))
            .col(text("message"))
            .col(json("log_tail"))
            .col(big_integer("at_ms"))
            .take(),
    ]
}

fn results() -> Vec<TableCreateStatement> {
    vec![
        table("rendition")
            .col(string("job_id"))
            .col(string("name"))
            .col(integer("ordinal"))
            // `video` or `audio`.
            .col(string("kind"))
            .col(json("spec"))
            .col(integer("epoch"))
            .col(integer("segments_total"))
            // The pinned init segment, once the first commit brought it: an InitReport, and its storage key.
            .col(json_null("init"))
            .col(string_null("init_key"))
            .primary_key(&mut primary_key(&["job_id", "name"]))
            .take(),
        table("segment")
            .col(string("job_id"))
            .col(string("rendition"))
            .col(integer("epoch"))
            .col(integer("index"))
            .col(string("storage_key"))
            .col(integer("frames"))
            .col(big_integer("start_ticks"))
            .col(big_integer("duration_ticks"))
            .col(big_integer("bytes"))
            .col(string("sha256"))
            .col(string("lease_id"))
            .col(big_integer("created_at_ms"))
            .primary_key(&mut primary_key(&["job_id", "rendition", "epoch", "index"]))
            .take(),
        table("output_file")
            .col(string("job_id"))
            .col(string("name"))
            .col(string("storage_key"))
            .col(string("content_type"))
            .col(big_integer("bytes"))
            .col(string("sha256"))
            .col(big_integer("created_at_ms"))
            .primary_key(&mut primary_key(&["job_id", "name"]))
            .take(),
        table("job_event")
            .col(big_pk_auto("sequence"))
            .col(string("job_id"))
            .col(string("kind"))
            .col(json("data"))
            .col(big_integer("at_ms"))
            .take(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &'static str, table: &'static str, columns: &[&'static str]| {
        let mut index = Index::create().name(name).table(table).if_not_exists().take();
        for column in columns {
            index.col(*column);
        }
        index
    };
    vec![
        // The order of work: urgent jobs first, older jobs before younger ones (ids sort by time), front to back in each.
        index("task_in_order", "task", &["state", "rank", "job_id", "ordinal"]),
        index("task_of_job", "task", &["job_id", "ordinal"]),
        index("lease_by_state", "lease", &["state", "expires_at_ms"]),
        index("lease_by_request", "lease", &["agent_id", "request_id"]),
        index("lease_of_task", "lease", &["task_id"]),
        index("lease_of_job", "lease", &["job_id", "state"]),
        index("lease_by_end", "lease", &["ended_at_ms"]),
        index("task_tried", "task", &["state", "failures"]),
        index("failure_of_task", "failure", &["task_id", "agent_id"]),
        index("failure_of_job", "failure", &["job_id"]),
        index("job_of_team", "job", &["team_id", "id"]),
        index("job_of_source", "job", &["source_id"]),
        index("source_of_team", "source", &["team_id", "id"]),
        index("source_by_expiry", "source", &["state", "expires_at_ms"]),
        index("event_of_job", "job_event", &["job_id", "sequence"]),
    ]
}
