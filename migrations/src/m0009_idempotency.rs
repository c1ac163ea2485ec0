//! Answers that are kept for the keys under which programs make things.

#![expect(elided_lifetimes_in_paths, reason = "async_trait wants the signature exactly as the trait has it")]

use sea_orm_migration::{
    prelude::{DbErr, Index, MigrationName, MigrationTrait, SchemaManager, Table, async_trait},
    schema::{big_integer, boolean, integer_null, string, text_null},
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0009_idempotency"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("idempotency")
            // SHA-256 of team, route and key.
            .col(string("id").primary_key())
            // SHA-256 of what was asked for.
            .col(string("fingerprint"))
            // Which of the requests with this key is being answered.
            .col(string("attempt"))
            // Something was committed for it.
            .col(boolean("made"))
            // A server that answers renews this; past it, it died.
            .col(big_integer("locked_until_ms"))
            .col(big_integer("expires_at_ms"))
            // The answer, once there is one that may be kept.
            .col(integer_null("status"))
            .col(text_null("headers"))
            .col(text_null("body"))
            .take();
        manager.create_table(table).await?;
        let expiry = Index::create().name("idempotency_expiry").table("idempotency").col("expires_at_ms").take();
        manager.create_index(expiry).await
    }
}
