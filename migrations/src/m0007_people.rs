//! People, their sessions and teams, links by which they come in, failed logins; scopes and last use of tokens.

#![expect(elided_lifetimes_in_paths, reason = "async_trait wants the signature exactly as the trait has it")]

use sea_orm_migration::{
    prelude::{DbErr, Index, IntoIden, MigrationName, MigrationTrait, SchemaManager, Table, TableAlterStatement, async_trait},
    schema::{big_integer, big_integer_null, boolean, integer, string, string_null, string_uniq, text_null},
    sea_orm::ConnectionTrait,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0007_people"
    }
}

fn alter(table: &'static str) -> TableAlterStatement {
    Table::alter().table(table.into_iden()).take()
}

/// What tokens could do before there were scopes: everything but what came with people.
const SCOPES_OF_OLD_TOKENS: &str =
    "jobs:read jobs:write uploads:write agents:read agents:write webhooks:read webhooks:write tokens:write";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for change in [
            // Of a program's token: names separated by spaces.
            alter("token").add_column(text_null("scopes")).take(),
            alter("token").add_column(big_integer_null("last_used_at_ms")).take(),
            // Of an enrolment code: the group that machines join.
            alter("token").add_column(string_null("group_id")).take(),
        ] {
            manager.alter_table(change).await?;
        }
        let mut membership_key = Index::create();
        let tables = [
            Table::create()
                .table("person")
                .col(string("id").primary_key())
                // In lower case.
                .col(string_uniq("email"))
                .col(string("name"))
                // `admin`, `operator` or `member`.
                .col(string("role"))
                // Argon2id, in the PHC string format.
                .col(string("password_hash"))
                .col(boolean("disabled"))
                .col(big_integer("created_at_ms"))
                .col(big_integer_null("last_seen_at_ms"))
                .take(),
            Table::create()
                .table("membership")
                .col(string("team_id"))
                .col(string("person_id"))
                .primary_key(membership_key.col("person_id").col("team_id"))
                .take(),
            Table::create()
                .table("session")
                // SHA-256 of the cookie's value, in hex: the value has 260 random bits.
                .col(string("hash").primary_key())
                .col(string("person_id"))
                .col(big_integer("created_at_ms"))
                .col(big_integer("used_at_ms"))
                // Whatever its use.
                .col(big_integer("expires_at_ms"))
                .take(),
            Table::create()
                .table("link")
                .col(string("id").primary_key())
                // `setup`, `invitation` or `reset`.
                .col(string("kind"))
                .col(string_uniq("hash"))
                // Of a reset.
                .col(string_null("person_id"))
                // Of an invitation; its teams are separated by spaces.
                .col(string_null("email"))
                .col(string_null("role"))
                .col(text_null("team_ids"))
                .col(big_integer("created_at_ms"))
                .col(big_integer("expires_at_ms"))
                .take(),
            // Attempts to log in, by account and by address, so that all servers of one database count together.
            Table::create()
                .table("login_attempt")
                // `account:` or `address:`, and the hash of which.
                .col(string("subject").primary_key())
                .col(integer("attempts"))
                .col(big_integer("first_at_ms"))
                .take(),
        ];
        for table in tables {
            manager.create_table(table).await?;
        }
        for (name, table, column) in [
            ("membership_of_team", "membership", "team_id"),
            ("session_of_person", "session", "person_id"),
            ("session_by_end", "session", "expires_at_ms"),
            ("link_by_end", "link", "expires_at_ms"),
            ("attempt_by_begin", "login_attempt", "first_at_ms"),
            ("token_of_team", "token", "team_id"),
        ] {
            manager.create_index(Index::create().name(name).table(table).col(column).take()).await?;
        }
        manager.create_index(Index::create().name("team_by_name").table("team").col("name").unique().take()).await?;
        let fill = format!("UPDATE token SET scopes = '{SCOPES_OF_OLD_TOKENS}' WHERE kind = 'program'");
        manager.get_connection().execute_unprepared(&fill).await?;
        Ok(())
    }
}
