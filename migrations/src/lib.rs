//! Offpeak's database schema, for SQLite and PostgreSQL alike.
//!
//! Times are milliseconds since 1970 in `…_at_ms` columns: the two databases keep timestamps to different precisions, and
//! a comparison that holds on one must hold on the other. Identifiers are the texts of `offpeak_api::ids`.

pub use sea_orm_migration::prelude::{MigrationTrait, MigratorTrait};

mod m0001_spine;
mod m0002_leasing;
mod m0003_fleet;
mod m0004_storage;
mod m0005_blame;
mod m0006_estimates;
mod m0007_people;
mod m0008_webhooks;
mod m0009_idempotency;
mod m0010_job_figures;
mod m0011_dashboard;

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_spine::Migration),
            Box::new(m0002_leasing::Migration),
            Box::new(m0003_fleet::Migration),
            Box::new(m0004_storage::Migration),
            Box::new(m0005_blame::Migration),
            Box::new(m0006_estimates::Migration),
            Box::new(m0007_people::Migration),
            Box::new(m0008_webhooks::Migration),
            Box::new(m0009_idempotency::Migration),
            Box::new(m0010_job_figures::Migration),
            Box::new(m0011_dashboard::Migration),
        ]
    }
}
