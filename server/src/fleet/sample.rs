//! A sample of the fleet every minute, by whichever server looks first; and, once an hour, the end of what is too old.

use super::store;
use crate::{
    agents::{
        self,
        history::{HOUR, KEPT},
    },
    app::App,
    clock::Instant,
    error::ApiError,
};

const MINUTE_MS: i64 = 60_000;

pub async fn sample(app: &App, now: Instant) -> Result<(), ApiError> {
    let minute = Instant(now.ms().div_euclid(MINUTE_MS) * MINUTE_MS);
    if store::is_sampled(&app.db.reader, minute).await? {
        return Ok(());
    }
    let figures = store::now(&app.db.reader, now).await?;
    let tx = app.db.write().await?;
    store::insert(&tx.tx, minute, &figures).await?;
    if minute.ms() % HOUR.as_millis() as i64 == 0 {
        store::forget(&tx.tx, now - KEPT).await?;
        agents::store::forget(&tx.tx, now - KEPT).await?;
    }
    tx.commit().await.map_err(ApiError::from)
}
