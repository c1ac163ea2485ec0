//! Tokens of programs, enrolment codes, and teams as programs with `admin` manage them.

use std::time::Duration;

use offpeak_api::{
    access::{CreatedEnrolmentCode, CreatedToken, EnrolmentCodeList, Scope, TokenList},
    agent::AgentList,
    enrolment::EnrolLink,
    fleet::Group,
    lease::{EnrolRequest, EnrolResponse},
    team::{Team, TeamList},
};
use offpeak_server::{
    auth::{
        self, TokenKind,
        store::{NewToken, TokenExtras},
    },
    tick,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::Server;

async fn admin(server: &Server) -> String {
    let tx = server.app.db.write().await.unwrap();
    let new = NewToken { team: &server.team, kind: TokenKind::Program, name: "admin", agent: None, uses: None, lifetime: None };
    let extras = TokenExtras { scopes: Some(&[Scope::Admin].into_iter().collect()), group: None };
    let (_, secret) = auth::store::create_token_with(&tx.tx, new, extras, server.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    secret
}

#[tokio::test]
async fn a_token_is_told_once_and_good_for_what_it_says() {
    let server = Server::start().await;
    let made: CreatedToken =
        server.post("/v1/tokens", json!({ "name": "reader", "scopes": ["jobs:read"], "expires_in_days": 2 })).await.ok();
    assert!(made.secret.starts_with("ofp_"));
    assert_eq!((made.token.scopes.as_slice(), made.token.last_used_at), (&[Scope::JobsRead][..], None));
    assert_eq!(server.call(&made.secret, Method::GET, "/v1/jobs", None).await.status, 200);
    assert_eq!(server.call(&made.secret, Method::GET, "/v1/tokens", None).await.problem(403), "insufficient_scope");

    let listed = async || {
        let list = server.get("/v1/tokens").await;
        let text = list.text();
        assert!(!text.contains("ofp_") && !text.contains("hash"), "{text}");
        let list: TokenList = list.ok();
        list.tokens.into_iter().find(|token| token.id == made.token.id)
    };
    // The note of its use is made beside the request, and at most once a minute.
    server.until(async || listed().await.unwrap().last_used_at == Some(server.clock.now().to_utc())).await;
    let first = server.clock.now();
    server.clock.advance(Duration::from_secs(59));
    assert_eq!(server.call(&made.secret, Method::GET, "/v1/jobs", None).await.status, 200);
    tick::tick(&server.app).await.unwrap();
    assert_eq!(listed().await.unwrap().last_used_at, Some(first.to_utc()));
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(server.call(&made.secret, Method::GET, "/v1/jobs", None).await.status, 200);
    server.until(async || listed().await.unwrap().last_used_at == Some(server.clock.now().to_utc())).await;

    server.clock.advance(Duration::from_secs(2 * 24 * 3600));
    assert_eq!(server.call(&made.secret, Method::GET, "/v1/jobs", None).await.problem(401), "bad_token");
    assert!(listed().await.is_some(), "it shows why the program stopped");
    let path = format!("/v1/tokens/{}", made.token.id);
    assert_eq!(server.call(&server.token, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(server.call(&server.token, Method::DELETE, &path, None).await.problem(404), "token_not_found");
}

#[tokio::test]
async fn a_revoked_token_is_good_for_nothing() {
    let server = Server::start().await;
    let made: CreatedToken = server.post("/v1/tokens", json!({ "name": "x", "scopes": ["jobs:read"] })).await.ok();
    assert_eq!(server.call(&made.secret, Method::GET, "/v1/jobs", None).await.status, 200);
    let path = format!("/v1/tokens/{}", made.token.id);
    assert_eq!(server.call(&server.token, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(server.call(&made.secret, Method::GET, "/v1/jobs", None).await.problem(401), "bad_token");
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let server = Server::start().await;
    let ask = |scopes: &[&str]| json!({ "name": "x", "scopes": scopes });
    assert_eq!(server.post("/v1/tokens", ask(&["jobs:read", "admin"])).await.problem(403), "insufficient_scope");
    let small: CreatedToken = server.post("/v1/tokens", ask(&["tokens:write", "jobs:read"])).await.ok();
    let post = async |body: Value| server.call(&small.secret, Method::POST, "/v1/tokens", Some(body)).await;
    assert_eq!(post(ask(&["jobs:write"])).await.problem(403), "insufficient_scope");
    assert_eq!(post(ask(&["jobs:read"])).await.status, 201);
    assert_eq!(post(ask(&[])).await.problem(422), "bad_scopes");
    assert_eq!(post(ask(&["jobs"])).await.problem(422), "invalid_body");
    assert_eq!(post(json!({ "name": "x", "scopes": ["jobs:read"], "expires_in_days": 0 })).await.problem(422), "bad_request");
    assert_eq!(post(json!({ "name": "\u{0}", "scopes": ["jobs:read"] })).await.problem(422), "bad_name");
}

#[tokio::test]
async fn an_enrolment_code_leads_into_its_group_until_it_is_used_up() {
    let server = Server::start().await;
    let group: Group = server.post("/v1/groups", json!({ "name": "third floor" })).await.ok();
    let made: CreatedEnrolmentCode =
        server.post("/v1/enrolment-codes", json!({ "group": group.id, "uses": 2, "expires_in_hours": 8 })).await.ok();
    let enrol = async |name: &str| {
        let body = serde_json::to_value(EnrolRequest { code: made.code.clone(), name: name.to_owned() }).unwrap();
        server.call("", Method::POST, "/v1/agents/enrol", Some(body)).await
    };
    let link: EnrolLink = made.link.clone().expect("this server can be reached").parse().unwrap();
    assert_eq!(
        (link.server.as_str(), &link.code),
        (server.app.config.public_url.as_str(), &made.code),
        "all that a machine asks for"
    );
    let codes = async || server.get("/v1/enrolment-codes").await.ok::<EnrolmentCodeList>().enrolment_codes;
    enrol("one").await.ok::<EnrolResponse>();
    assert_eq!(codes().await.iter().map(|code| code.uses_left).collect::<Vec<_>>(), [1]);
    enrol("two").await.ok::<EnrolResponse>();
    assert_eq!(enrol("three").await.problem(403), "bad_enrolment_code");
    assert!(codes().await.is_empty(), "nobody can use it any more");
    let agents: AgentList = server.get("/v1/agents").await.ok();
    assert!(agents.agents.iter().all(|agent| agent.group == group.id) && agents.agents.len() == 2, "{agents:?}");
}

#[tokio::test]
async fn an_enrolment_code_ends_and_can_be_revoked() {
    let server = Server::start().await;
    let unknown = json!({ "group": "grp_01J8ZC5V2M0N6QW3T7RX9KPEHD" });
    assert_eq!(server.post("/v1/enrolment-codes", unknown).await.problem(404), "group_not_found");
    assert_eq!(server.post("/v1/enrolment-codes", json!({ "uses": 0 })).await.problem(422), "bad_request");
    let enrol = async |code: &str| server.post("/v1/agents/enrol", json!({ "code": code, "name": "desk 7" })).await;

    let late: CreatedEnrolmentCode = server.post("/v1/enrolment-codes", json!({ "expires_in_hours": 1 })).await.ok();
    server.clock.advance(Duration::from_secs(3600));
    assert_eq!(enrol(&late.code).await.problem(403), "bad_enrolment_code");

    let revoked: CreatedEnrolmentCode = server.post("/v1/enrolment-codes", json!({})).await.ok();
    let path = format!("/v1/enrolment-codes/{}", revoked.enrolment_code.id);
    assert_eq!(
        server.call(&server.token, Method::DELETE, &format!("/v1/tokens/{}", revoked.enrolment_code.id), None).await.status,
        404
    );
    assert_eq!(server.call(&server.token, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(enrol(&revoked.code).await.problem(403), "bad_enrolment_code");

    // The group is gone when the machine comes: it joins the default one.
    let group: Group = server.post("/v1/groups", json!({ "name": "third floor" })).await.ok();
    let orphan: CreatedEnrolmentCode = server.post("/v1/enrolment-codes", json!({ "group": group.id })).await.ok();
    assert_eq!(server.call(&server.token, Method::DELETE, &format!("/v1/groups/{}", group.id), None).await.status, 204);
    let enrolled: EnrolResponse = enrol(&orphan.code).await.ok();
    let agent: Value = server.get(&format!("/v1/agents/{}", enrolled.agent_id)).await.ok();
    assert_ne!(agent["group"], group.id.as_str());
}

#[tokio::test]
async fn a_team_is_made_changed_and_deleted_once_it_is_empty() {
    let server = Server::start().await;
    let admin = admin(&server).await;
    let call = async |method: Method, path: &str, body: Value| server.call(&admin, method, path, Some(body)).await;
    let news: Team = call(Method::POST, "/v1/teams", json!({ "name": "news" })).await.ok();
    assert_eq!(news.weight, 1.0);
    assert_eq!(call(Method::POST, "/v1/teams", json!({ "name": "news" })).await.problem(409), "name_taken");
    for weight in [0.0, -1.0, 1000.0] {
        assert_eq!(call(Method::POST, "/v1/teams", json!({ "name": "x", "weight": weight })).await.problem(422), "bad_weight");
    }
    let path = format!("/v1/teams/{}", news.id);
    let changed: Team = call(Method::PATCH, &path, json!({ "name": "newsroom", "weight": 3.0 })).await.ok();
    assert_eq!((changed.name.as_str(), changed.weight), ("newsroom", 3.0));
    assert_eq!(call(Method::PATCH, &path, json!({ "name": "default" })).await.problem(409), "name_taken");

    // A token with `admin` acts in the team that it names, any other in its own.
    let about = |token: &str| {
        let ask = server.http.post(format!("{}/v1/tokens", server.base)).bearer_auth(token);
        ask.header("Offpeak-Team", news.id.as_str())
            .json(&json!({ "name": "x", "scopes": ["jobs:read", "uploads:write"] }))
            .send()
    };
    assert_eq!(about(&server.token).await.unwrap().status(), 404);
    let made = about(&admin).await.unwrap();
    assert_eq!(made.status(), 201);
    let made: CreatedToken = made.json().await.unwrap();
    assert_eq!(made.token.team, news.id);
    let teams: TeamList = server.call(&made.secret, Method::GET, "/v1/teams", None).await.ok();
    assert_eq!(teams.teams.iter().map(|team| &team.id).collect::<Vec<_>>(), [&news.id]);

    let ask = server.http.post(format!("{}/v1/uploads", server.base)).bearer_auth(&made.secret);
    let begun = ask.header("Tus-Resumable", "1.0.0").header("Upload-Length", "5").send().await.unwrap();
    let upload = begun.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(call(Method::DELETE, &path, json!({})).await.problem(409), "team_not_empty");
    let ask = server.http.delete(format!("{}{upload}", server.base)).bearer_auth(&made.secret).header("Tus-Resumable", "1.0.0");
    assert_eq!(ask.send().await.unwrap().status(), 204);
    assert_eq!(call(Method::DELETE, &path, json!({})).await.status, 204);
    assert_eq!(call(Method::DELETE, &path, json!({})).await.problem(404), "team_not_found");
    assert_eq!(server.call(&made.secret, Method::GET, "/v1/jobs", None).await.problem(401), "bad_token");
    assert_eq!(call(Method::DELETE, &format!("/v1/teams/{}", server.team), json!({})).await.problem(409), "first_team");
}

#[tokio::test]
async fn what_a_token_makes_ends_with_it() {
    let server = Server::start().await;
    let lent: CreatedToken =
        server.post("/v1/tokens", json!({ "name": "lent", "scopes": ["tokens:write"], "expires_in_days": 1 })).await.ok();
    for days in [json!(null), json!(30)] {
        let body = json!({ "name": "made", "scopes": ["tokens:write"], "expires_in_days": days });
        let made: CreatedToken = server.call(&lent.secret, Method::POST, "/v1/tokens", Some(body)).await.ok();
        assert_eq!(made.token.expires_at, lent.token.expires_at);
    }
    let made: CreatedToken = server.post("/v1/tokens", json!({ "name": "mine", "scopes": ["tokens:write"] })).await.ok();
    assert_eq!(made.token.expires_at, None);
}

#[tokio::test]
async fn who_is_out_watches_nothing_any_more() {
    let server = Server::start().await;
    let job = server.new_job().await;
    let made: CreatedToken = server.post("/v1/tokens", json!({ "name": "watcher", "scopes": ["jobs:read"] })).await.ok();
    let request = server.http.get(server.url(&format!("/v1/jobs/{}/events", job.id))).bearer_auth(&made.secret);
    let mut events = request.send().await.unwrap();
    let first = events.chunk().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("job."), "{first:?}");
    let path = format!("/v1/tokens/{}", made.token.id);
    assert_eq!(server.call(&server.token, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(server.post(&format!("/v1/jobs/{}/cancel", job.id), json!({})).await.status, 200);
    let rest = async {
        let mut rest = String::new();
        while let Some(chunk) = events.chunk().await.unwrap() {
            rest.push_str(&String::from_utf8_lossy(&chunk));
        }
        rest
    };
    let rest = tokio::time::timeout(Duration::from_secs(60), rest).await.expect("the stream ends");
    assert!(!rest.contains("cancelled"), "{rest}");
}
