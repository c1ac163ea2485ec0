//! Rows of `rendition`; the columns are explained where the schema is made.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "rendition")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub ordinal: i32,
    pub kind: String,
    pub spec: Json,
    pub epoch: i32,
    pub segments_total: i32,
    pub init: Option<Json>,
    pub init_key: Option<String>,
    pub init_agent_id: Option<String>,
    pub kept_segments: i32,
    pub kept_frames: i64,
    pub kept_bytes: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
