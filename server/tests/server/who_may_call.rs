//! Every route but health, docs and playback needs a token of the right kind.

use offpeak_server::router;
use reqwest::{Method, StatusCode};

use crate::harness::{Agent, Server};

/// Routes that anybody may call; signed addresses carry their own proof.
fn is_open(path: &str) -> bool {
    ["/healthz", "/readyz", "/media/", "/blob/"].iter().any(|open| path.starts_with(open)) || path == "/v1/agents/enrol"
}

#[tokio::test]
async fn every_other_route_refuses_a_caller_without_a_token() {
    let server = Server::start().await;
    let description = serde_json::to_value(router::openapi()).unwrap();
    let mut asked = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        if is_open(path) {
            continue;
        }
        let id = |prefix: &str| format!("{prefix}_01J8ZC5V2M0N6QW3T7RX9KPEHD");
        let prefix = if path.contains("/jobs/") {
            "job"
        } else if path.contains("/leases/") {
            "lease"
        } else if path.contains("/agents/") {
            "agent"
        } else if path.contains("/groups/") || path.contains("/policies/") {
            "grp"
        } else if path.contains("/webhooks/") {
            "hook"
        } else {
            "src"
        };
        let address = path
            .replace("{id}", &id(prefix))
            .replace("{group}", &id(prefix))
            .replace("{name}", "x")
            .replace("{delivery}", &id("msg"));
        for method in item.as_object().unwrap().keys() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            if method == Method::OPTIONS {
                continue;
            }
            for token in [None, Some("ofp_wrong")] {
                let mut request = server.http.request(method.clone(), format!("{}{address}", server.base));
                request = request.header("Tus-Resumable", "1.0.0").header("X-HTTP-Method-Override", "DELETE");
                request = request.header("Content-Type", "application/json").body("{}");
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                let status = request.send().await.unwrap().status();
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} with {token:?}");
                asked += 1;
            }
        }
    }
    assert!(asked > 30, "the description lists the routes: {asked}");
}

#[tokio::test]
async fn agents_and_programs_keep_to_their_own_side() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    assert_eq!(server.call(&agent.token, Method::GET, "/v1/jobs", None).await.problem(403), "wrong_kind_of_token");
    let ask = server.post("/v1/leases/lease_01J8ZC5V2M0N6QW3T7RX9KPEHD/release", serde_json::json!({ "reason": "shutdown" }));
    assert_eq!(ask.await.problem(403), "wrong_kind_of_token");
}

#[tokio::test]
async fn an_enrolment_code_is_good_for_its_uses_only() {
    use offpeak_api::lease::{EnrolRequest, EnrolResponse};
    use offpeak_server::auth::{self, TokenKind, store::NewToken};
    let server = Server::start().await;
    let tx = server.app.db.write().await.unwrap();
    let team = auth::store::default_team(&tx.tx, server.clock.now()).await.unwrap();
    let lifetime = Some(auth::ENROL_CODE_LIFETIME);
    let new = NewToken { team: &team, kind: TokenKind::Enrol, name: "code", agent: None, uses: Some(1), lifetime };
    let code = auth::store::create_token(&tx.tx, new, server.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let request = |code: &str| EnrolRequest { code: code.to_owned(), name: "desk 7".to_owned() };
    assert_eq!(server.post("/v1/agents/enrol", request("ofe_wrong")).await.problem(403), "bad_enrolment_code");
    let enrolled: EnrolResponse = server.post("/v1/agents/enrol", request(&code)).await.ok();
    assert!(enrolled.token.starts_with("ofa_"));
    assert_eq!(server.post("/v1/agents/enrol", request(&code)).await.problem(403), "bad_enrolment_code");
}

#[tokio::test]
async fn problems_are_problems_everywhere() {
    let server = Server::start().await;
    assert_eq!(server.get("/v1/jobs/not-an-id").await.problem(400), "bad_request");
    assert_eq!(server.get("/v1/nothing").await.problem(404), "no_such_address");
    assert_eq!(server.call(&server.token, Method::PATCH, "/v1/jobs", None).await.problem(405), "method_not_allowed");
}
