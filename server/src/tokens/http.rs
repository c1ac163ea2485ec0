//! Tokens of programs: list, make, revoke.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use offpeak_api::{
    access::{CreateToken, CreatedToken, Token, TokenList},
    ids::TokenId,
    problem::Problem,
};

use super::{DAY_SECONDS, MOST_TOKENS, grantable, store, within};
use crate::{
    agents::check_name,
    app::App,
    auth::{
        TokenKind, Who,
        may::{May, TokensWrite},
        scopes::Scopes,
        store::{NewToken, TokenExtras, create_token_with},
    },
    clock::Instant,
    entity::token,
    error::{ApiError, Body},
};

fn wire(row: token::Model) -> Result<Token, ApiError> {
    Ok(Token {
        id: row.id.parse().map_err(ApiError::internal)?,
        name: row.name,
        team: row.team_id.parse().map_err(ApiError::internal)?,
        scopes: Scopes::of_text(row.scopes.as_deref().unwrap_or_default()).iter().collect(),
        created_at: Instant(row.created_at_ms).to_utc(),
        expires_at: row.expires_at_ms.map(|at| Instant(at).to_utc()),
        last_used_at: row.last_used_at_ms.map(|at| Instant(at).to_utc()),
    })
}

/// List tokens
///
/// Of the team's programs, without their secrets.
#[utoipa::path(get, path = "/v1/tokens", tag = "access", security(("bearer" = ["tokens:write"])), responses(
    (status = 200, description = "All tokens of the team", body = TokenList),
))]
pub async fn list_tokens(State(app): State<App>, auth: May<TokensWrite>) -> Result<Json<TokenList>, ApiError> {
    let rows = store::list(&app.db.reader, &auth.team_id).await?;
    Ok(Json(TokenList { tokens: rows.into_iter().map(wire).collect::<Result<_, _>>()? }))
}

/// Make a token
///
/// For a program of the team. The secret is told this once. Nobody can give a scope that they do not have, and what a token makes
/// ends with it at the latest.
#[utoipa::path(post, path = "/v1/tokens", tag = "access", security(("bearer" = ["tokens:write"])), request_body = CreateToken,
    responses(
    (status = 201, description = "The token and its secret", body = CreatedToken),
    (status = 403, description = "A scope that the caller does not have", body = Problem),
    (status = 409, description = "The team has too many tokens", body = Problem),
    (status = 422, description = "The name, the scopes or the time do not fit", body = Problem),
))]
pub async fn create_token(
    State(app): State<App>,
    auth: May<TokensWrite>,
    Body(request): Body<CreateToken>,
) -> Result<(StatusCode, Json<CreatedToken>), ApiError> {
    let name = check_name(&request.name)?;
    let scopes = grantable(&auth, &request.scopes)?;
    let days = request.expires_in_days.map(|days| within("expires_in_days", Some(days), 1, 3650)).transpose()?;
    let now = app.clock.now();
    let lifetime = days.map(|days| Duration::from_secs(u64::from(days) * DAY_SECONDS));
    // What a token makes ends with it at the latest: else one that is lent for a day would be good for ever.
    let lifetime = match &auth.by {
        Who::Token { id, .. } => {
            let left = store::expiry(&app.db.reader, id).await?.map(|end| end.since(now));
            left.map_or(lifetime, |left| Some(lifetime.map_or(left, |lifetime| lifetime.min(left))))
        }
        Who::Person { .. } => lifetime,
    };
    let tx = app.db.write().await?;
    if store::count(&tx.tx, &auth.team_id, TokenKind::Program).await? >= MOST_TOKENS {
        return Err(ApiError::conflict("too_many_tokens", format!("A team has at most {MOST_TOKENS} tokens."))
            .hint("Revoke those that nobody uses: GET /v1/tokens shows `last_used_at`."));
    }
    let new = NewToken { team: &auth.team_id, kind: TokenKind::Program, name, agent: None, uses: None, lifetime };
    let extras = TokenExtras { scopes: Some(&scopes), group: None };
    let (row, secret) = create_token_with(&tx.tx, new, extras, now).await?;
    tx.commit().await?;
    tracing::info!(token.id = row.id, name, scopes = scopes.to_text(), by = ?auth.by, "created token");
    Ok((StatusCode::CREATED, Json(CreatedToken { token: wire(row)?, secret })))
}

/// Revoke a token
///
/// It is good for nothing from the next request on.
#[utoipa::path(delete, path = "/v1/tokens/{id}", tag = "access", security(("bearer" = ["tokens:write"])),
    params(("id" = TokenId, Path)), responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "No such token", body = Problem),
))]
pub async fn revoke_token(
    State(app): State<App>,
    auth: May<TokensWrite>,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, ApiError> {
    let tx = app.db.write().await?;
    let gone = store::delete(&tx.tx, &auth.team_id, &id, TokenKind::Program).await?;
    tx.commit().await?;
    if !gone {
        return Err(ApiError::not_found("token_not_found", format!("There is no token {id}.")));
    }
    tracing::info!(token.id = %id, by = ?auth.by, "revoked token");
    Ok(StatusCode::NO_CONTENT)
}
