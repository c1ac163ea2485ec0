//! SQL of keys and the answers that are kept for them.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, OnConflict, UpdateStatement},
};

use super::{Kept, Seen};
use crate::{clock::Instant, entity::idempotency, error::ApiError};

/// A request that wants to be the first with its key.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub id: String,
    pub fingerprint: String,
    /// Its own name, random.
    pub name: String,
}

/// Takes the key, or says who has it.
pub async fn take(
    tx: &impl ConnectionTrait,
    attempt: &Attempt,
    now: Instant,
    locked_until: Instant,
    expires: Instant,
) -> Result<Seen, ApiError> {
    forget(tx, &attempt.id, now).await?;
    let row = idempotency::ActiveModel {
        id: Set(attempt.id.clone()),
        fingerprint: Set(attempt.fingerprint.clone()),
        attempt: Set(attempt.name.clone()),
        made: Set(false),
        locked_until_ms: Set(locked_until.ms()),
        expires_at_ms: Set(expires.ms()),
        status: Set(None),
        headers: Set(None),
        body: Set(None),
    };
    let inserted = idempotency::Entity::insert(row)
        .on_conflict(OnConflict::column(idempotency::Column::Id).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    if inserted > 0 {
        return Ok(Seen::First);
    }
    let row = idempotency::Entity::find_by_id(attempt.id.clone()).one(tx).await?;
    let Some(row) = row else { return Ok(Seen::InProgress) };
    let seen = Seen::of(&row, attempt, now)?;
    if seen == Seen::Abandoned {
        // Of several that come at once, one finds the row as it was.
        let taken = idempotency::Entity::update_many()
            .col_expr(idempotency::Column::Attempt, Expr::value(attempt.name.as_str()))
            .col_expr(idempotency::Column::LockedUntilMs, Expr::value(locked_until.ms()))
            .filter(idempotency::Column::Id.eq(&attempt.id))
            .filter(idempotency::Column::Attempt.eq(row.attempt))
            .filter(idempotency::Column::Made.eq(false))
            .exec(tx)
            .await?;
        return Ok(if taken.rows_affected > 0 { Seen::First } else { Seen::InProgress });
    }
    Ok(seen)
}

/// A key whose day is over is as good as new.
async fn forget(tx: &impl ConnectionTrait, id: &str, now: Instant) -> Result<(), ApiError> {
    idempotency::Entity::delete_many()
        .filter(idempotency::Column::Id.eq(id))
        .filter(idempotency::Column::ExpiresAtMs.lte(now.ms()))
        .exec(tx)
        .await?;
    Ok(())
}

fn of_attempt(attempt: &Attempt) -> sea_orm::UpdateMany<idempotency::Entity> {
    idempotency::Entity::update_many()
        .filter(idempotency::Column::Id.eq(&attempt.id))
        .filter(idempotency::Column::Attempt.eq(&attempt.name))
}

/// Goes along with what the handler commits.
pub fn mark(attempt: &Attempt) -> UpdateStatement {
    of_attempt(attempt).col_expr(idempotency::Column::Made, Expr::value(true)).into_query()
}

pub async fn renew(tx: &impl ConnectionTrait, attempt: &Attempt, locked_until: Instant) -> Result<(), ApiError> {
    of_attempt(attempt).col_expr(idempotency::Column::LockedUntilMs, Expr::value(locked_until.ms())).exec(tx).await?;
    Ok(())
}

/// Keeps the answer for repeats.
pub async fn keep(tx: &impl ConnectionTrait, attempt: &Attempt, kept: &Kept) -> Result<(), ApiError> {
    of_attempt(attempt)
        .col_expr(idempotency::Column::Status, Expr::value(i32::from(kept.status)))
        .col_expr(idempotency::Column::Headers, Expr::value(serde_json::to_string(&kept.headers)?))
        .col_expr(idempotency::Column::Body, Expr::value(kept.body.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}

/// The request came to nothing: the next with this key is the first again. What committed something stays.
pub async fn give_back(tx: &impl ConnectionTrait, attempt: &Attempt, now: Instant) -> Result<(), ApiError> {
    idempotency::Entity::delete_many()
        .filter(idempotency::Column::Id.eq(&attempt.id))
        .filter(idempotency::Column::Attempt.eq(&attempt.name))
        .filter(idempotency::Column::Made.eq(false))
        .exec(tx)
        .await?;
    renew(tx, attempt, now).await
}

/// Whether a key's day is over.
pub async fn anything_old(db: &impl ConnectionTrait, now: Instant) -> Result<bool, ApiError> {
    let old = idempotency::Entity::find()
        .select_only()
        .column(idempotency::Column::Id)
        .filter(idempotency::Column::ExpiresAtMs.lte(now.ms()))
        .limit(1)
        .into_tuple::<String>()
        .one(db)
        .await?;
    Ok(old.is_some())
}

pub async fn forget_old(tx: &impl ConnectionTrait, now: Instant) -> Result<(), ApiError> {
    idempotency::Entity::delete_many().filter(idempotency::Column::ExpiresAtMs.lte(now.ms())).exec(tx).await?;
    Ok(())
}
