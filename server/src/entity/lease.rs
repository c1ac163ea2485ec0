//! Rows of `lease`; the columns are explained where the schema is made.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "lease")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub task_id: String,
    pub job_id: String,
    pub agent_id: String,
    pub request_id: String,
    pub instance: Option<String>,
    pub state: String,
    pub class: String,
    pub tag: f64,
    pub prefix: String,
    pub from_row: i32,
    pub progress: Option<Json>,
    pub holder_state: String,
    pub suspended_at_ms: Option<i64>,
    pub suspended_reason: Option<String>,
    pub created_at_ms: i64,
    pub expires_at_ms: i64,
    pub ended_at_ms: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
