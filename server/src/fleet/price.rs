//! What a cloud would have charged, for comparison; an administrator says it, once for the whole farm.

use axum::{Json, extract::State};
use offpeak_api::{figures::CloudPrice, problem::Problem};

use crate::{
    app::App,
    auth::may::{Admin, FleetRead, OnFarm},
    error::{ApiError, Body},
    settings,
};

const MOST_PER_MINUTE: f64 = 1000.0;

/// Read the cloud's price
///
/// With which the farm is compared: of a minute of one video rendition. A usual price until an administrator sets one.
#[utoipa::path(get, path = "/v1/fleet/cloud-price", tag = "fleet", security(("bearer" = ["jobs:read"]), ("bearer" = ["agents:read"])), responses(
    (status = 200, description = "The price", body = CloudPrice),
))]
pub async fn get_cloud_price(State(app): State<App>, _auth: OnFarm<FleetRead>) -> Result<Json<CloudPrice>, ApiError> {
    Ok(Json(settings::cloud_price(&app.db.reader).await?.unwrap_or_default()))
}

/// Set the cloud's price
#[utoipa::path(put, path = "/v1/fleet/cloud-price", tag = "fleet", security(("bearer" = ["admin"])), request_body = CloudPrice, responses(
    (status = 200, description = "The price from now on", body = CloudPrice),
    (status = 422, description = "It is no price", body = Problem),
))]
pub async fn put_cloud_price(
    State(app): State<App>,
    auth: OnFarm<Admin>,
    Body(price): Body<CloudPrice>,
) -> Result<Json<CloudPrice>, ApiError> {
    check(&price)?;
    let tx = app.db.write().await?;
    settings::set_cloud_price(&tx.tx, &price).await?;
    tx.commit().await?;
    tracing::info!(price.per_minute, price.currency, by = ?auth.by, "set the cloud's price");
    Ok(Json(price))
}

fn check(price: &CloudPrice) -> Result<(), ApiError> {
    if !(0.0..=MOST_PER_MINUTE).contains(&price.per_minute) {
        return Err(ApiError::unfit("bad_price", format!("`per_minute` is 0 to {MOST_PER_MINUTE}.")));
    }
    if price.currency.len() == 3 && price.currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(ApiError::unfit("bad_price", "`currency` is three capital letters, such as USD or EUR."))
}
