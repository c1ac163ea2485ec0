//! Rows of `token`; the columns are explained where the schema is made.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub team_id: String,
    pub kind: String,
    pub name: String,
    pub hash: String,
    pub agent_id: Option<String>,
    pub uses_left: Option<i32>,
    pub expires_at_ms: Option<i64>,
    pub created_at_ms: i64,
    pub scopes: Option<String>,
    pub last_used_at_ms: Option<i64>,
    pub group_id: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
