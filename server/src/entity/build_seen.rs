//! Rows of `build_seen`; the columns are explained where the schema is made.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "build_seen")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub build: String,
    pub seen_at_ms: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
