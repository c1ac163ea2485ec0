//! Webhooks, what is on its way to them, and what they answered.

#![expect(elided_lifetimes_in_paths, reason = "async_trait wants the signature exactly as the trait has it")]

use sea_orm_migration::{
    prelude::{DbErr, Index, MigrationName, MigrationTrait, SchemaManager, Table, async_trait},
    schema::{big_integer, big_integer_null, integer, integer_null, string, string_null, text, text_null},
    sea_orm::ConnectionTrait,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0008_webhooks"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut attempt_key = Index::create();
        let tables = [
            Table::create()
                .table("webhook")
                .col(string("id").primary_key())
                .col(string("team_id"))
                .col(text("url"))
                .col(text("description"))
                // Names of events, separated by spaces; all when empty.
                .col(text("events"))
                // As shown, since messages are signed with it.
                .col(string("secret"))
                // The secret before, while it is valid.
                .col(string_null("old_secret"))
                .col(big_integer_null("old_secret_until_ms"))
                .col(big_integer_null("disabled_at_ms"))
                .col(text_null("disabled_reason"))
                // Since the first failure after the last success.
                .col(big_integer_null("failing_since_ms"))
                .col(big_integer("created_at_ms"))
                .take(),
            Table::create()
                .table("webhook_delivery")
                .col(string("id").primary_key())
                .col(string("webhook_id"))
                .col(string("kind"))
                // Exactly what is sent, and signed.
                .col(text("body"))
                .col(string("state"))
                .col(big_integer("created_at_ms"))
                // Attempts begun since it was made, and since it was last asked for.
                .col(integer("attempts"))
                .col(integer("tries"))
                // When it is to be sent; while a server sends it, when others may take that server for dead. Null when it is
                // over.
                .col(big_integer_null("due_at_ms"))
                .col(big_integer_null("sending_until_ms"))
                .col(big_integer("give_up_at_ms"))
                .col(big_integer_null("delivered_at_ms"))
                .take(),
            Table::create()
                .table("webhook_attempt")
                .col(string("delivery_id"))
                .col(integer("number"))
                .col(big_integer("at_ms"))
                .col(big_integer("duration_ms"))
                .col(integer_null("status"))
                .col(text_null("error"))
                .col(text("answer"))
                .primary_key(attempt_key.col("delivery_id").col("number"))
                .take(),
        ];
        for table in tables {
            manager.create_table(table).await?;
        }
        for index in [
            "CREATE INDEX webhook_by_team ON webhook (team_id)",
            "CREATE INDEX webhook_delivery_by_webhook ON webhook_delivery (webhook_id, id)",
            "CREATE INDEX webhook_delivery_by_age ON webhook_delivery (created_at_ms)",
            // Nearly all deliveries are over: these stay as small as what is due.
            "CREATE INDEX webhook_delivery_due ON webhook_delivery (due_at_ms, webhook_id) WHERE due_at_ms IS NOT NULL",
            "CREATE INDEX webhook_delivery_due_to ON webhook_delivery (webhook_id, due_at_ms) WHERE due_at_ms IS NOT NULL",
        ] {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}
