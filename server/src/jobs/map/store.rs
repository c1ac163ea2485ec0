//! SQL of a job's map.

use offpeak_api::map::MapAgent;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::Told;
use crate::{
    entity::{agent, job_event, lease},
    error::ApiError,
    lease::holders::is_active,
};

pub async fn active_leases(db: &impl ConnectionTrait, job: &str) -> Result<Vec<lease::Model>, ApiError> {
    let active = lease::Entity::find().filter(lease::Column::JobId.eq(job)).filter(is_active());
    Ok(active.order_by_asc(lease::Column::Id).all(db).await?)
}

/// What the job's events tell about its segments, oldest first.
pub async fn told(db: &impl ConnectionTrait, job: &str) -> Result<Vec<Told>, ApiError> {
    let rows: Vec<(String, serde_json::Value)> = job_event::Entity::find()
        .select_only()
        .column(job_event::Column::Kind)
        .column(job_event::Column::Data)
        .filter(job_event::Column::JobId.eq(job))
        .filter(job_event::Column::Kind.is_in(["segments.committed", "renditions.voided"]))
        .order_by_asc(job_event::Column::Sequence)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.iter().filter_map(|(kind, data)| Told::read(kind, data)).collect())
}

/// The names of these agents, as far as they are still known.
pub async fn names(db: &impl ConnectionTrait, ids: &[String]) -> Result<Vec<MapAgent>, ApiError> {
    let rows: Vec<(String, String)> = agent::Entity::find()
        .select_only()
        .column(agent::Column::Id)
        .column(agent::Column::Name)
        .filter(agent::Column::Id.is_in(ids.iter().map(String::as_str)))
        .order_by_asc(agent::Column::Name)
        .into_tuple()
        .all(db)
        .await?;
    rows.into_iter().map(|(id, name)| Ok(MapAgent { id: id.parse().map_err(ApiError::internal)?, name })).collect()
}
