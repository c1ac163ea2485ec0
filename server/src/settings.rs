//! Small facts that all servers of one database share: the key that signs addresses, when a server was last alive, and what an
//! administrator set for the whole farm.

use std::time::Duration;

use anyhow::Context;
use offpeak_api::figures::CloudPrice;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, sea_query::OnConflict};

use crate::{auth::random_name, clock::Instant, db::Db, entity::setting, error::ApiError};

const SIGNING_KEY: &str = "signing_key";
const OWN_CERTIFICATE: &str = "own_certificate";
const CLOUD_PRICE: &str = "cloud_price";
const ALIVE_AT: &str = "alive_at_ms";

/// The key that signs storage addresses; made by the first server that starts.
pub async fn signing_key(db: &Db) -> Result<Vec<u8>, ApiError> {
    let tx = db.write().await?;
    let fresh = setting::ActiveModel { name: Set(SIGNING_KEY.to_owned()), value: Set(random_name(52)) };
    setting::Entity::insert(fresh)
        .on_conflict(OnConflict::column(setting::Column::Name).do_nothing().to_owned())
        .exec_without_returning(&tx.tx)
        .await?;
    let row = setting::Entity::find_by_id(SIGNING_KEY.to_owned()).one(&tx.tx).await?;
    tx.commit().await?;
    row.map(|row| row.value.into_bytes()).ok_or_else(|| ApiError::internal("the signing key vanished"))
}

/// The certificate that servers of this database show, with its key; `make` makes it for the first one that asks.
pub async fn own_certificate(db: &Db, make: impl FnOnce() -> anyhow::Result<String>) -> anyhow::Result<String> {
    let find = || setting::Entity::find_by_id(OWN_CERTIFICATE.to_owned());
    if let Some(row) = find().one(&db.reader).await? {
        return Ok(row.value);
    }
    let fresh = setting::ActiveModel { name: Set(OWN_CERTIFICATE.to_owned()), value: Set(make()?) };
    let tx = db.write().await?;
    // Two servers may begin at the same time.
    setting::Entity::insert(fresh)
        .on_conflict(OnConflict::column(setting::Column::Name).do_nothing().to_owned())
        .exec_without_returning(&tx.tx)
        .await?;
    let row = find().one(&tx.tx).await?;
    tx.commit().await?;
    row.map(|row| row.value).context("the certificate vanished")
}

/// What a cloud asks, if an administrator has said so.
pub async fn cloud_price(db: &impl ConnectionTrait) -> Result<Option<CloudPrice>, ApiError> {
    let row = setting::Entity::find_by_id(CLOUD_PRICE.to_owned()).one(db).await?;
    Ok(row.map(|row| serde_json::from_str(&row.value)).transpose()?)
}

pub async fn set_cloud_price(tx: &impl ConnectionTrait, price: &CloudPrice) -> Result<(), ApiError> {
    let fresh = setting::ActiveModel { name: Set(CLOUD_PRICE.to_owned()), value: Set(serde_json::to_string(price)?) };
    setting::Entity::insert(fresh)
        .on_conflict(OnConflict::column(setting::Column::Name).update_column(setting::Column::Value).to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Notes that a server is alive; returns for how long none was.
pub async fn mark_alive(tx: &impl ConnectionTrait, now: Instant) -> Result<Duration, ApiError> {
    let row = setting::Entity::find_by_id(ALIVE_AT.to_owned()).one(tx).await?;
    let before = row.and_then(|row| row.value.parse().ok()).map_or(now, Instant);
    let fresh = setting::ActiveModel { name: Set(ALIVE_AT.to_owned()), value: Set(now.ms().to_string()) };
    // Two servers may begin at the same time.
    setting::Entity::insert(fresh)
        .on_conflict(OnConflict::column(setting::Column::Name).update_column(setting::Column::Value).to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(now.since(before))
}
