//! Rows of `agent`; the columns are explained where the schema is made.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "agent")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub team_id: String,
    pub name: String,
    pub capabilities: Option<Json>,
    pub created_at_ms: i64,
    pub last_seen_at_ms: i64,
    pub standing: String,
    pub standing_reason: Option<String>,
    pub work_per_second: Option<f64>,
    pub group_id: String,
    pub state: String,
    pub state_code: Option<String>,
    pub state_reason: Option<String>,
    pub state_since_ms: i64,
    pub reported_at_ms: i64,
    pub counted_until_ms: i64,
    pub set_aside_by: Option<String>,
    pub prove_after_ms: Option<i64>,
    pub failed_jobs: String,
    pub times_set_aside: i32,
    pub instances: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
