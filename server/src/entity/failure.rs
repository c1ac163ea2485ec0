//! Rows of `failure`; the columns are explained where the schema is made.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "failure")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub task_id: String,
    pub job_id: String,
    pub agent_id: String,
    pub task_kind: String,
    pub first: i32,
    pub last: i32,
    pub code: String,
    pub message: String,
    pub log_tail: Json,
    pub at_ms: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
