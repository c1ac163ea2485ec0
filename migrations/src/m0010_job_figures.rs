//! What a job made, in seconds of film, so that a day's figures are sums over an index.

#![expect(elided_lifetimes_in_paths, reason = "async_trait wants the signature exactly as the trait has it")]

use sea_orm_migration::{
    prelude::{DbErr, Index, MigrationName, MigrationTrait, SchemaManager, Table, async_trait},
    schema::double_null,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0010_job_figures"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Both are null until the job is completed, and of jobs from before. How long the film is that came out:
        let film = Table::alter().table("job").add_column(double_null("film_seconds")).take();
        manager.alter_table(film).await?;
        // and how long its video renditions are one after the other, which is what clouds charge for.
        let renditions = Table::alter().table("job").add_column(double_null("rendition_seconds")).take();
        manager.alter_table(renditions).await?;
        let ended = Index::create().name("job_by_end").table("job").col("team_id").col("ended_at_ms").take();
        manager.create_index(ended).await
    }
}
