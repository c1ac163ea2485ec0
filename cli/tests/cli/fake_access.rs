//! The fake server's tokens, teams and enrolment codes.

use axum::{
    Json, Router,
    extract::{Request, State},
    routing::{delete, get, post},
};
use serde_json::{Value, json};

use crate::fake::Fake;

const TOKEN: &str = "token_01J8ZC5V2M0N6QW3T7RX9KPEHD";
const TEAM: &str = "team_01J8ZC5V2M0N6QW3T7RX9KPEHD";

pub fn routes() -> Router<Fake> {
    Router::new()
        .route("/v1/tokens", get(async || Json(json!({ "tokens": [token(true)] }))).post(create_token))
        .route("/v1/tokens/{id}", delete(async |State(fake): State<Fake>, request: Request| note(&fake, request).await))
        .route(
            "/v1/teams",
            get(async || {
                Json(json!({ "teams": [{ "id": TEAM, "name": "default", "weight": 1.5, "created_at": "1970-01-01T00:00:00Z" }] }))
            }),
        )
        .route("/v1/enrolment-codes", post(create_code))
}

fn token(used: bool) -> Value {
    let at = "1970-01-01T00:00:00Z";
    json!({ "id": TOKEN, "name": "intranet", "team": TEAM, "scopes": ["jobs:read", "jobs:write"], "created_at": at,
        "last_used_at": used.then_some(at) })
}

async fn note(fake: &Fake, request: Request) {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 10_000).await.unwrap();
    let line = format!("{} {} {}", parts.method, parts.uri.path(), String::from_utf8_lossy(&body));
    fake.world().fleet.changes.push(line);
}

async fn create_token(State(fake): State<Fake>, request: Request) -> Json<Value> {
    note(&fake, request).await;
    Json(json!({ "token": token(false), "secret": "ofp_secret" }))
}

async fn create_code(State(fake): State<Fake>, request: Request) -> Json<Value> {
    note(&fake, request).await;
    let code = json!({ "id": TOKEN, "name": "enrolment code", "uses_left": 20, "created_at": "1970-01-01T00:00:00Z" });
    Json(json!({ "enrolment_code": code, "code": "ofe_code" }))
}
