//! Rows of `source`; the columns are explained where the schema is made.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "source")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub team_id: String,
    pub state: String,
    pub filename: Option<String>,
    pub url: Option<String>,
    pub length: Option<i64>,
    pub received: i64,
    pub hash_state: Option<Vec<u8>>,
    pub sha256: Option<String>,
    pub metadata: Option<String>,
    pub created_at_ms: i64,
    pub expires_at_ms: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
