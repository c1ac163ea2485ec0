//! Guessing passwords, slowed down: so many attempts in a quarter of an hour, by account and by address, counted in the database
//! so that all servers count together.
//!
//! An attempt counts before its password is looked at: guesses that come at the same time count as well.

use std::{net::IpAddr, time::Duration};

use axum::http::StatusCode;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};

use crate::{auth::hash_secret, clock::Instant, db::Db, entity::login_attempt, error::ApiError};

pub const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Somebody who does not remember which of their passwords it was.
const OF_ACCOUNT: i32 = 10;
/// An office may share one address.
const OF_ADDRESS: i32 = 60;

/// What attempts are counted under. Only hashes are kept: who tried from where is nobody's business.
#[derive(Debug, Clone)]
pub struct Subjects {
    account: String,
    address: Option<String>,
}

impl Subjects {
    pub fn of(email: &str, address: Option<IpAddr>) -> Self {
        Self {
            account: format!("account:{}", hash_secret(email)),
            address: address.map(|address| format!("address:{}", hash_secret(&network_of(address)))),
        }
    }
}

/// Whoever has one IPv6 address has 2^64 of them.
fn network_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None => format!("{:x?}", &address.segments()[..4]),
        },
    }
}

/// Counts an attempt, or refuses it.
pub async fn attempt(db: &Db, subjects: &Subjects, now: Instant) -> Result<(), ApiError> {
    let tx = db.write().await?;
    let mut wait = None;
    let address = subjects.address.as_ref().map(|address| (address, OF_ADDRESS));
    for (subject, most) in [(&subjects.account, OF_ACCOUNT)].into_iter().chain(address) {
        let row = count(&tx.tx, subject, now).await?;
        if row.attempts > most {
            wait = wait.max(Some((Instant(row.first_at_ms) + WINDOW).since(now)));
        }
    }
    tx.commit().await?;
    match wait {
        None => Ok(()),
        Some(wait) => Err(ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_attempts",
            "There were too many attempts to log in to this account, or from this address.",
        )
        .hint("Wait a while, or ask an administrator for a link that sets a new password.")
        .retry_after(wait.max(Duration::from_secs(1)))),
    }
}

async fn count(tx: &impl ConnectionTrait, subject: &str, now: Instant) -> Result<login_attempt::Model, ApiError> {
    // One statement, so that attempts which come at once are all counted; an old window begins anew. The count stops where it
    // means no more: it must not overflow.
    let sql = "INSERT INTO login_attempt (subject, attempts, first_at_ms) VALUES ($1, 1, $2) \
               ON CONFLICT (subject) DO UPDATE SET \
               attempts = CASE WHEN login_attempt.first_at_ms <= $3 THEN 1 \
               WHEN login_attempt.attempts > 1000000 THEN login_attempt.attempts ELSE login_attempt.attempts + 1 END, \
               first_at_ms = CASE WHEN login_attempt.first_at_ms <= $3 THEN $2 ELSE login_attempt.first_at_ms END";
    let values = [subject.into(), now.ms().into(), (now - WINDOW).ms().into()];
    tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
    let row = login_attempt::Entity::find_by_id(subject.to_owned()).one(tx).await?;
    row.ok_or_else(|| ApiError::internal("an attempt was not counted"))
}

/// It was the right password: the account's attempts are forgotten, and this one does not count for the address.
pub async fn succeeded(db: &Db, subjects: &Subjects) -> Result<(), ApiError> {
    use sea_orm::{ExprTrait, sea_query::Expr};
    let tx = db.write().await?;
    login_attempt::Entity::delete_by_id(subjects.account.clone()).exec(&tx.tx).await?;
    if let Some(address) = &subjects.address {
        login_attempt::Entity::update_many()
            .col_expr(login_attempt::Column::Attempts, Expr::col(login_attempt::Column::Attempts).sub(1))
            .filter(login_attempt::Column::Subject.eq(address.as_str()))
            .filter(login_attempt::Column::Attempts.gt(0))
            .exec(&tx.tx)
            .await?;
    }
    tx.commit().await.map_err(ApiError::from)
}

/// A person got a new password: what was tried before does not matter any more.
pub async fn forgive(tx: &impl ConnectionTrait, email: &str) -> Result<(), ApiError> {
    login_attempt::Entity::delete_by_id(Subjects::of(email, None).account).exec(tx).await?;
    Ok(())
}

/// Deletes counts whose window is over.
pub async fn forget(tx: &impl ConnectionTrait, now: Instant) -> Result<(), ApiError> {
    login_attempt::Entity::delete_many().filter(login_attempt::Column::FirstAtMs.lte((now - WINDOW).ms())).exec(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let network = |text: &str| network_of(text.parse().expect("an address"));
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:10.0.0.7"), network("10.0.0.7"));
    }
}
