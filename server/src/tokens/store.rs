//! SQL of tokens and enrolment codes.

use offpeak_api::ids::{TeamId, TokenId};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select};

use crate::{auth::TokenKind, clock::Instant, entity::token, error::ApiError};

fn of_team(team: &TeamId, kind: TokenKind) -> Select<token::Entity> {
    token::Entity::find().filter(token::Column::TeamId.eq(team.as_str())).filter(token::Column::Kind.eq(kind.as_str()))
}

/// When a token ends, if it does.
pub async fn expiry(db: &impl ConnectionTrait, id: &TokenId) -> Result<Option<Instant>, ApiError> {
    let row = token::Entity::find_by_id(id.as_str()).one(db).await?;
    Ok(row.and_then(|row| row.expires_at_ms).map(Instant))
}

/// A team's tokens of programs, youngest first; expired ones too, so that it shows why a program stopped.
pub async fn list(db: &impl ConnectionTrait, team: &TeamId) -> Result<Vec<token::Model>, ApiError> {
    Ok(of_team(team, TokenKind::Program).order_by_desc(token::Column::Id).all(db).await?)
}

/// How many a team has.
pub async fn count(db: &impl ConnectionTrait, team: &TeamId, kind: TokenKind) -> Result<u64, ApiError> {
    Ok(of_team(team, kind).count(db).await?)
}

/// Codes that somebody could still enrol with, youngest first.
pub async fn codes(db: &impl ConnectionTrait, team: &TeamId, now: Instant) -> Result<Vec<token::Model>, ApiError> {
    use sea_orm::Condition;
    let lives = Condition::any().add(token::Column::ExpiresAtMs.is_null()).add(token::Column::ExpiresAtMs.gt(now.ms()));
    Ok(of_team(team, TokenKind::Enrol)
        .filter(token::Column::UsesLeft.gt(0))
        .filter(lives)
        .order_by_desc(token::Column::Id)
        .all(db)
        .await?)
}

/// True when the team had one of this id to delete.
pub async fn delete(tx: &impl ConnectionTrait, team: &TeamId, id: &TokenId, kind: TokenKind) -> Result<bool, ApiError> {
    let done = token::Entity::delete_many()
        .filter(token::Column::Id.eq(id.as_str()))
        .filter(token::Column::TeamId.eq(team.as_str()))
        .filter(token::Column::Kind.eq(kind.as_str()))
        .exec(tx)
        .await?;
    Ok(done.rows_affected > 0)
}

/// Deletes codes that nobody can use any more.
pub async fn forget_codes(tx: &impl ConnectionTrait, now: Instant) -> Result<(), ApiError> {
    use sea_orm::Condition;
    let over = Condition::any().add(token::Column::UsesLeft.lte(0)).add(token::Column::ExpiresAtMs.lte(now.ms()));
    token::Entity::delete_many().filter(token::Column::Kind.eq(TokenKind::Enrol.as_str())).filter(over).exec(tx).await?;
    Ok(())
}
