//! What is due: found by query, done by whichever server looks first. `serve` looks every few seconds; `tick` looks once.

use crate::{
    app::App,
    clock::Instant,
    commit::{again, pins},
    deliver,
    error::ApiError,
    finish::stuck,
    fleet,
    front::idempotency,
    lease::{ENDED_LEASE_KEPT, expiry, store as lease_store, sweep},
    people, settings, tokens, upload, webhooks,
};

/// Old leases cleaned in one go, so that a tick stays short.
const CLEANED_PER_TICK: u64 = 100;

/// Everything that is due now.
pub async fn tick(app: &App) -> Result<(), ApiError> {
    let now = app.clock.now();
    revive_after_outage(app, now).await?;
    if stuck::give_up(app, now).await? > 0 {
        app.wake.events();
    }
    again::unpin_due(app, now).await?;
    upload::expire(app, now).await?;
    deliver::write_all_due(app).await?;
    sweep_old_leases(app, now).await?;
    forget_people(app, now).await?;
    fleet::sample(app, now).await?;
    idempotency::expire(app, now).await?;
    webhooks::send::forget_old(app, now).await?;
    app.blobs.sweep(now).await.map_err(ApiError::internal)?;
    // What nobody found the first time, for whatever reason, is found now; and a holder may have become slow enough to help.
    if expiry::offer(app, now).await? > 0 || lease_store::anything_open(&app.db.reader).await? {
        app.wake.work();
    }
    Ok(())
}

/// After an outage no engine could renew its lease: none is taken away for that.
async fn revive_after_outage(app: &App, now: Instant) -> Result<(), ApiError> {
    let tx = app.db.write().await?;
    let silence = settings::mark_alive(&tx.tx, now).await?;
    if silence > app.config.lease.outage() {
        pins::all_builds_seen(&tx.tx, now).await?;
        let extended = lease_store::extend_all(&tx.tx, now + app.config.lease.lifetime).await?;
        tracing::info!(outage_seconds = silence.as_secs(), extended, "leases live on after an outage");
    }
    tx.commit().await.map_err(ApiError::from)
}

/// Sessions and links that are over, attempts to log in that count no more, enrolment codes that nobody can use.
async fn forget_people(app: &App, now: Instant) -> Result<(), ApiError> {
    let tx = app.db.write().await?;
    people::store::forget_old(&tx.tx, now).await?;
    people::throttle::forget(&tx.tx, now).await?;
    tokens::store::forget_codes(&tx.tx, now).await?;
    tx.commit().await.map_err(ApiError::from)
}

/// A day after a lease ended, its row goes, and what it uploaded without committing.
async fn sweep_old_leases(app: &App, now: Instant) -> Result<(), ApiError> {
    let old = sweep::long_ended(&app.db.reader, now - ENDED_LEASE_KEPT, CLEANED_PER_TICK).await?;
    for lease in &old {
        if !sweep::counts(&app.db.reader, lease).await? {
            app.blobs.delete_prefix(&sweep::folder_prefix(lease)).await.map_err(ApiError::internal)?;
        }
    }
    if !old.is_empty() {
        let tx = app.db.write().await?;
        sweep::delete(&tx.tx, &old).await?;
        tx.commit().await?;
    }
    Ok(())
}
