//! Rows of `webhook_delivery`; the columns are explained where the schema is made.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub webhook_id: String,
    pub kind: String,
    pub body: String,
    pub state: String,
    pub created_at_ms: i64,
    pub attempts: i32,
    pub tries: i32,
    pub due_at_ms: Option<i64>,
    pub sending_until_ms: Option<i64>,
    pub give_up_at_ms: i64,
    pub delivered_at_ms: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
