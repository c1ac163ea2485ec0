//! SQL of leases that ended long ago.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::LeaseState;
use crate::{
    clock::Instant,
    entity::{lease, rendition, segment},
    error::ApiError,
};

/// Leases that ended before `before`. An active one has no such time.
pub async fn long_ended(db: &impl ConnectionTrait, before: Instant, limit: u64) -> Result<Vec<lease::Model>, ApiError> {
    Ok(lease::Entity::find().filter(lease::Column::EndedAtMs.lt(before.ms())).limit(limit).all(db).await?)
}

/// The beginning of every storage key that the lease may have written.
pub fn folder_prefix(lease: &lease::Model) -> String {
    format!("jobs/{}/{}-", lease.job_id, lease.prefix)
}

/// True when something that this lease uploaded was committed and is still in use.
pub async fn counts(db: &impl ConnectionTrait, lease: &lease::Model) -> Result<bool, ApiError> {
    if lease.state == LeaseState::Completed.as_str() {
        return Ok(true);
    }
    let segment = segment::Entity::find()
        .filter(segment::Column::JobId.eq(lease.job_id.as_str()))
        .filter(segment::Column::LeaseId.eq(lease.id.as_str()))
        .limit(1)
        .one(db)
        .await?;
    if segment.is_some() {
        return Ok(true);
    }
    let init = rendition::Entity::find()
        .filter(rendition::Column::JobId.eq(lease.job_id.as_str()))
        .filter(rendition::Column::InitKey.starts_with(folder_prefix(lease)))
        .limit(1)
        .one(db)
        .await?;
    Ok(init.is_some())
}

pub async fn delete(tx: &impl ConnectionTrait, leases: &[lease::Model]) -> Result<(), ApiError> {
    let ids = leases.iter().map(|lease| lease.id.as_str());
    lease::Entity::delete_many().filter(lease::Column::Id.is_in(ids)).exec(tx).await?;
    Ok(())
}
