//! Rows of `fleet_sample`; the columns are explained where the schema is made.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "fleet_sample")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub minute_ms: i64,
    pub machines: Json,
    pub real_time_speed: f64,
    pub work_per_second: f64,
    pub encoding: i32,
    pub leased_work: f64,
    pub queued_work: f64,
    pub queue: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
