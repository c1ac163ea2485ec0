//! Rows of `task`; the columns are explained where the schema is made.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "task")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub job_id: String,
    pub team_id: String,
    pub kind: String,
    pub class: String,
    pub state: String,
    pub rank: i32,
    pub deadline_ms: i64,
    pub ordinal: i32,
    pub first: i32,
    pub cursor: i32,
    pub last: i32,
    pub to_end: bool,
    pub spec: Json,
    pub estimated_work: f64,
    pub lease_id: Option<String>,
    pub tag: f64,
    pub backup_lease_id: Option<String>,
    pub failures: i32,
    pub created_at_ms: i64,
    pub done_at_ms: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
