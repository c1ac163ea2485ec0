//! Rows of `job`; the columns are explained where the schema is made.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub team_id: String,
    pub source_id: String,
    pub profile_name: String,
    pub profile: Json,
    pub state: String,
    pub priority: i32,
    pub deadline_ms: i64,
    pub build: Option<String>,
    pub metadata: Json,
    pub facts: Option<Json>,
    pub plan: Option<Json>,
    pub warnings: Json,
    pub error: Option<Json>,
    pub end_frame: Option<i64>,
    pub estimated_work: Option<f64>,
    pub progress: f64,
    pub created_at_ms: i64,
    pub started_at_ms: Option<i64>,
    pub playable_at_ms: Option<i64>,
    pub ended_at_ms: Option<i64>,
    pub film_seconds: Option<f64>,
    pub rendition_seconds: Option<f64>,
    pub one_machine_seconds: Option<f64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
