//! What is on its way into storage: sources in parts, manifests of finished jobs.

#![expect(elided_lifetimes_in_paths, reason = "async_trait wants the signature exactly as the trait has it")]

use sea_orm_migration::{
    prelude::{DbErr, Index, MigrationName, MigrationTrait, SchemaManager, Table, async_trait},
    schema::{big_integer, big_pk_auto, boolean, string, text_null},
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0004_storage"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A row for each source that is arriving in a bucket; it goes when the source is an object, or given up there.
        let arrival = Table::create()
            .table("arrival")
            .col(big_pk_auto("id"))
            .col(string("source_id"))
            // The bucket's name for the multipart upload, once a whole part was sent.
            .col(text_null("multipart"))
            .col(big_integer("part_bytes"))
            // Clients send its parts to the bucket themselves.
            .col(boolean("direct"))
            // Key of the object with the bytes behind the last whole part.
            .col(text_null("tail"))
            // The bucket is to be told that nothing more comes.
            .col(boolean("given_up"))
            .take();
        manager.create_table(arrival).await?;
        let of_source = Index::create().name("arrival_of_source").table("arrival").col("source_id").take();
        manager.create_index(of_source).await?;
        // A row for each job that is complete and whose manifests are not in storage yet: empty but for moments.
        let due = Table::create().table("manifests_due").col(string("job_id").primary_key()).take();
        manager.create_table(due).await
    }
}
