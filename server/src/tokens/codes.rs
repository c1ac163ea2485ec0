//! Codes with which machines enrol: list, make, revoke.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use offpeak_api::{
    access::{CreateEnrolmentCode, CreatedEnrolmentCode, EnrolmentCode, EnrolmentCodeList},
    ids::TokenId,
    problem::Problem,
};

use super::{MOST_CODES, link, store, within};
use crate::{
    agents::check_name,
    app::App,
    auth::{
        TokenKind,
        may::{AgentsRead, AgentsWrite, OnFarm},
        store::{NewToken, TokenExtras, create_token_with},
    },
    clock::Instant,
    entity::token,
    error::{ApiError, Body},
    groups,
};

fn wire(row: token::Model) -> Result<EnrolmentCode, ApiError> {
    Ok(EnrolmentCode {
        id: row.id.parse().map_err(ApiError::internal)?,
        name: row.name,
        group: row.group_id.map(|group| group.parse()).transpose().map_err(ApiError::internal)?,
        uses_left: row.uses_left.unwrap_or_default().max(0).cast_unsigned(),
        created_at: Instant(row.created_at_ms).to_utc(),
        expires_at: row.expires_at_ms.map(|at| Instant(at).to_utc()),
    })
}

/// List enrolment codes
///
/// Those that can still be used, without the codes themselves.
#[utoipa::path(get, path = "/v1/enrolment-codes", operation_id = "list_enrolment_codes", tag = "agents", security(("bearer" = ["agents:read"])), responses(
    (status = 200, description = "The codes", body = EnrolmentCodeList),
))]
pub async fn list_codes(State(app): State<App>, auth: OnFarm<AgentsRead>) -> Result<Json<EnrolmentCodeList>, ApiError> {
    let rows = store::codes(&app.db.reader, &auth.team_id, app.clock.now()).await?;
    Ok(Json(EnrolmentCodeList { enrolment_codes: rows.into_iter().map(wire).collect::<Result<_, _>>()? }))
}

/// Make an enrolment code
///
/// With a number of uses and an end. Machines that enrol with it join the group that it names. It is told this once, alone and as
/// the link that machines take.
#[utoipa::path(post, path = "/v1/enrolment-codes", operation_id = "create_enrolment_code", tag = "agents", security(("bearer" = ["agents:write"])),
    request_body = CreateEnrolmentCode, responses(
    (status = 201, description = "The code", body = CreatedEnrolmentCode),
    (status = 404, description = "No such group", body = Problem),
    (status = 409, description = "There are too many codes", body = Problem),
    (status = 422, description = "A field does not fit", body = Problem),
))]
pub async fn create_code(
    State(app): State<App>,
    auth: OnFarm<AgentsWrite>,
    Body(request): Body<CreateEnrolmentCode>,
) -> Result<(StatusCode, Json<CreatedEnrolmentCode>), ApiError> {
    let name = check_name(request.name.as_deref().unwrap_or("enrolment code"))?;
    let uses = within("uses", request.uses, 1, 10_000)?;
    let hours = within("expires_in_hours", request.expires_in_hours, 24, 90 * 24)?;
    let now = app.clock.now();
    let tx = app.db.write().await?;
    if let Some(group) = &request.group {
        groups::store::find(&tx.tx, &auth.team_id, group).await?;
    }
    store::forget_codes(&tx.tx, now).await?;
    if store::count(&tx.tx, &auth.team_id, TokenKind::Enrol).await? >= MOST_CODES {
        return Err(ApiError::conflict("too_many_codes", format!("There are {MOST_CODES} enrolment codes already."))
            .hint("Revoke some, or give one more uses."));
    }
    let lifetime = Some(Duration::from_secs(u64::from(hours) * 3600));
    let new = NewToken { team: &auth.team_id, kind: TokenKind::Enrol, name, agent: None, uses: Some(uses), lifetime };
    let extras = TokenExtras { scopes: None, group: request.group.as_ref() };
    let (row, code) = create_token_with(&tx.tx, new, extras, now).await?;
    tx.commit().await?;
    tracing::info!(code.id = row.id, name, uses, hours, by = ?auth.by, "created enrolment code");
    let link = link::enrol_link(&app.config, &app.db, &code).await.map_err(ApiError::internal)?;
    Ok((StatusCode::CREATED, Json(CreatedEnrolmentCode { enrolment_code: wire(row)?, code, link })))
}

/// Revoke an enrolment code
///
/// Machines that enrolled with it stay.
#[utoipa::path(delete, path = "/v1/enrolment-codes/{id}", operation_id = "revoke_enrolment_code", tag = "agents", security(("bearer" = ["agents:write"])),
    params(("id" = TokenId, Path)), responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "No such code", body = Problem),
))]
pub async fn revoke_code(
    State(app): State<App>,
    auth: OnFarm<AgentsWrite>,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, ApiError> {
    let tx = app.db.write().await?;
    let gone = store::delete(&tx.tx, &auth.team_id, &id, TokenKind::Enrol).await?;
    tx.commit().await?;
    if !gone {
        return Err(ApiError::not_found("code_not_found", format!("There is no enrolment code {id}.")));
    }
    tracing::info!(code.id = %id, by = ?auth.by, "revoked enrolment code");
    Ok(StatusCode::NO_CONTENT)
}
