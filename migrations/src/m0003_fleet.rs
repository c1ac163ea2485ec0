//! Groups of agents and their policies; what agents say they are doing, hour by hour; what happened to them; samples of the
//! whole fleet.

#![expect(elided_lifetimes_in_paths, reason = "async_trait wants the signature exactly as the trait has it")]

use sea_orm_migration::{
    prelude::{DbErr, Index, IntoIden, MigrationName, MigrationTrait, SchemaManager, Table, TableAlterStatement, async_trait},
    schema::{big_integer, big_integer_null, big_pk_auto, double, integer, json, string, string_null, text, text_null},
    sea_orm::ConnectionTrait,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0003_fleet"
    }
}

fn alter(table: &'static str) -> TableAlterStatement {
    Table::alter().table(table.into_iden()).take()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for change in agent_columns() {
            manager.alter_table(change).await?;
        }
        let mut group_key = Index::create();
        let mut hour_key = Index::create();
        let tables = [
            Table::create()
                .table("agent_group")
                // A team's default group has the team's number: `grp_X` of `team_X`.
                .col(string("id").primary_key())
                .col(string("team_id"))
                .col(string("name"))
                // What is absent has its default.
                .col(json("policy"))
                .col(big_integer("created_at_ms"))
                .index(group_key.name("group_by_name").col("team_id").col("name").unique())
                .take(),
            Table::create()
                .table("agent_hour")
                .col(string("agent_id"))
                .col(big_integer("hour_ms"))
                .col(string("state"))
                .col(big_integer("ms"))
                .primary_key(hour_key.col("agent_id").col("hour_ms").col("state"))
                .take(),
            Table::create()
                .table("agent_event")
                .col(big_pk_auto("id"))
                .col(string("agent_id"))
                .col(string("kind"))
                .col(json("data"))
                .col(big_integer("at_ms"))
                .take(),
            Table::create()
                .table("fleet_sample")
                .col(big_integer("minute_ms").primary_key())
                // Machines by state.
                .col(json("machines"))
                // Seconds of video encoded in a second.
                .col(double("real_time_speed"))
                // In units of `plan::estimated_work`, as all work here.
                .col(double("work_per_second"))
                // Machines that encoded.
                .col(integer("encoding"))
                .col(double("leased_work"))
                .col(double("queued_work"))
                // Tasks and work that wait, by class.
                .col(json("queue"))
                .take(),
        ];
        for table in tables {
            manager.create_table(table).await?;
        }
        for (name, table, columns) in [
            ("agent_of_team", "agent", &["team_id", "id"][..]),
            ("agent_of_group", "agent", &["group_id"]),
            ("token_of_agent", "token", &["agent_id"]),
            ("failure_of_agent", "failure", &["agent_id", "id"]),
            ("hour_by_time", "agent_hour", &["hour_ms"]),
            ("event_of_agent", "agent_event", &["agent_id", "id"]),
        ] {
            let mut index = Index::create().name(name).table(table).take();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        let db = manager.get_connection();
        for statement in FILL {
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

fn agent_columns() -> Vec<TableAlterStatement> {
    vec![
        alter("agent").add_column(string("group_id").default("")).take(),
        // What the agent itself said last, and since when it is so.
        alter("agent").add_column(string("state").default("waiting")).take(),
        alter("agent").add_column(string_null("state_code")).take(),
        alter("agent").add_column(text_null("state_reason")).take(),
        alter("agent").add_column(big_integer("state_since_ms").default(0)).take(),
        // When it last said so; 0 is never.
        alter("agent").add_column(big_integer("reported_at_ms").default(0)).take(),
        // Up to where `agent_hour` has its time.
        alter("agent").add_column(big_integer("counted_until_ms").default(0)).take(),
        // `person` or `failures`, while it is set aside.
        alter("agent").add_column(string_null("set_aside_by")).take(),
        alter("agent").add_column(big_integer_null("prove_after_ms")).take(),
        // Different jobs that it failed tasks of since a task of its last succeeded: ids, separated by spaces.
        alter("agent").add_column(text("failed_jobs").default("")).take(),
        // How often it was set aside by failures since then.
        alter("agent").add_column(integer("times_set_aside").default(0)).take(),
    ]
}

/// A default group for every team, with all of its agents.
const FILL: [&str; 2] = [
    "INSERT INTO agent_group (id, team_id, name, policy, created_at_ms) \
     SELECT 'grp_' || substr(id, 6), id, 'default', '{}', created_at_ms FROM team",
    "UPDATE agent SET group_id = 'grp_' || substr(team_id, 6), state_since_ms = created_at_ms",
];
