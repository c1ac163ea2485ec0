//! What the dashboard tells beside what it told before: time saved, and in which browsers somebody is logged in.

#![expect(elided_lifetimes_in_paths, reason = "async_trait wants the signature exactly as the trait has it")]

use sea_orm_migration::{
    prelude::{DbErr, MigrationName, MigrationTrait, SchemaManager, Table, async_trait},
    schema::{double_null, text_null},
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0011_dashboard"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // What a completed job's encodes would have taken on one machine. Null until then, of jobs from before, and where it is
        // not known.
        let alone = Table::alter().table("job").add_column(double_null("one_machine_seconds")).take();
        manager.alter_table(alone).await?;
        // What the browser called itself when it logged in; null of sessions from before.
        let browser = Table::alter().table("session").add_column(text_null("user_agent")).take();
        manager.alter_table(browser).await
    }
}
