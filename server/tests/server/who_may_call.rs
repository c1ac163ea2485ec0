//! Who may call which route: asked of every route that the description lists, so that a new one is asked as well.

use std::collections::BTreeMap;

use offpeak_api::access::Scope;
use offpeak_server::{
    auth::{
        self, TokenKind,
        scopes::Scopes,
        store::{NewToken, TokenExtras},
    },
    router,
};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

use crate::{
    harness::{Agent, Server},
    people::Browser,
};

/// Routes that need nobody, and why. Another one is to be argued for here.
const PUBLIC: &[(&str, &str, &str)] = &[
    ("get", "/healthz", "a supervisor asks it before anything is set up, and learns nothing but that the server lives"),
    ("get", "/readyz", "as above"),
    ("options", "/v1/uploads", "tus: what this server can do; browsers ask it without credentials"),
    ("post", "/v1/session", "whoever logs in is nobody yet; slowed down by account and address"),
    ("post", "/v1/links", "the link's code is the proof"),
    ("post", "/v1/agents/enrol", "the enrolment code is the proof"),
    ("get", "/blob/{key}", "the address is signed for one object and expires"),
    ("put", "/blob/{key}", "as above, and for one length and hash"),
    ("get", "/media/{job}/{path}", "players have no credentials: the job's id cannot be guessed, or the address is signed"),
    ("options", "/media/{job}/{path}", "browsers ask it before they play"),
];

/// What a route asks of its callers, as the description has it.
#[derive(Debug, PartialEq)]
enum Asks {
    Nothing,
    AnyOf(Vec<Scope>),
    Person,
    Agent,
}

#[derive(Debug)]
struct Route {
    method: Method,
    path: String,
    asks: Asks,
    /// Agents may call it as well.
    agents_too: bool,
}

fn routes() -> Vec<Route> {
    let description = serde_json::to_value(router::openapi()).unwrap();
    let mut routes = vec![];
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let ways = operation["security"].as_array().cloned().unwrap_or_default();
            let scopes: Vec<Scope> = ways
                .iter()
                .filter_map(|way| way["bearer"].as_array())
                .flatten()
                .map(|scope| Scope::parse(scope.as_str().unwrap()).unwrap_or_else(|| panic!("{path}: no scope {scope}")))
                .collect();
            let asks = if ways.is_empty() {
                Asks::Nothing
            } else if !scopes.is_empty() {
                assert!(ways.iter().any(|way| way["session"].is_array()), "{path}: people may not");
                Asks::AnyOf(scopes)
            } else if ways.iter().any(|way| way["bearer"].is_array()) {
                Asks::Agent
            } else {
                Asks::Person
            };
            // The bytes of a fetched source come from the agent that fetches it.
            let agents_too = path == "/v1/uploads/{id}" && method != Method::DELETE;
            routes.push(Route { method, path: path.clone(), asks, agents_too });
        }
    }
    assert!(routes.len() > 60, "the description lists the routes: {}", routes.len());
    routes
}

/// What stands for the parameters of a route's path: by what comes before them.
fn address(path: &str, ids: &BTreeMap<&str, String>) -> String {
    let mut filled: Vec<String> = vec![];
    for part in path.split('/') {
        let before = filled.last().cloned().unwrap_or_default();
        filled.push(match part.starts_with('{') {
            true => ids.get(before.as_str()).unwrap_or_else(|| panic!("{path}: what is an id after {before:?}?")).clone(),
            false => part.to_owned(),
        });
    }
    filled.join("/")
}

/// Ids of the right kinds that name nothing.
fn nothing() -> BTreeMap<&'static str, String> {
    [
        ("uploads", "src"),
        ("sources", "src"),
        ("jobs", "job"),
        ("profiles", "nothing"),
        ("agents", "agent"),
        ("groups", "grp"),
        ("policies", "grp"),
        ("leases", "lease"),
        ("people", "person"),
        ("sessions", "session"),
        ("members", "person"),
        ("invitations", "inv"),
        ("teams", "team"),
        ("tokens", "token"),
        ("enrolment-codes", "token"),
        ("webhooks", "hook"),
        ("deliveries", "msg"),
    ]
    .into_iter()
    .map(|(before, prefix)| {
        (before, if before == "profiles" { prefix.to_owned() } else { format!("{prefix}_01J8ZC5V2M0N6QW3T7RX9KPEHD") })
    })
    .collect()
}

/// A request that is refused for nothing but its caller, or what its path names.
fn request(server: &Server, route: &Route, ids: &BTreeMap<&str, String>) -> RequestBuilder {
    let address = format!("{}{}", server.base, address(&route.path, ids));
    let request = server.http.request(route.method.clone(), address).header("Tus-Resumable", "1.0.0");
    match route.path.as_str() {
        "/v1/uploads" => request.header("Upload-Length", "5"),
        "/v1/uploads/{id}" => request
            .header("X-HTTP-Method-Override", "DELETE")
            .header("Content-Type", "application/offset+octet-stream")
            .header("Upload-Offset", "5"),
        "/v1/uploads/{id}/parts" => request.json(&serde_json::json!({ "parts": [] })),
        _ => request.header("Content-Type", "application/json").body("{}"),
    }
}

async fn token_with(server: &Server, scopes: Scopes) -> String {
    let tx = server.app.db.write().await.unwrap();
    let new = NewToken { team: &server.team, kind: TokenKind::Program, name: "test", agent: None, uses: None, lifetime: None };
    let extras = TokenExtras { scopes: Some(&scopes), group: None };
    let (_, secret) = auth::store::create_token_with(&tx.tx, new, extras, server.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    secret
}

async fn code_of(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    // What is let in may be a stream that goes on.
    if response.status().is_success() {
        return (status, String::new());
    }
    let problem: Value = response.json().await.unwrap_or_default();
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_route_is_public_only_for_a_reason() {
    let public: Vec<(String, String)> = routes()
        .into_iter()
        .filter(|route| route.asks == Asks::Nothing)
        .map(|route| (route.method.as_str().to_lowercase(), route.path))
        .collect();
    for (method, path) in &public {
        assert!(PUBLIC.iter().any(|(m, p, _)| m == method && p == path), "{method} {path} asks for nobody, without a reason");
    }
    for (method, path, reason) in PUBLIC {
        assert!(public.iter().any(|(m, p)| m == method && p == path), "{method} {path} is not public: {reason}");
    }
}

#[tokio::test]
async fn every_other_route_refuses_a_caller_without_credentials() {
    let server = Server::start().await;
    for route in routes().iter().filter(|route| route.asks != Asks::Nothing) {
        let ask = || request(&server, route, &nothing());
        for (what, ask) in [
            ("nothing", ask()),
            ("a wrong token", ask().bearer_auth("ofp_wrong")),
            ("a scheme of its own", ask().header("Authorization", "Basic YTpi")),
            ("a wrong cookie", ask().header("Cookie", "offpeak_session=ofs_wrong").header("Origin", &server.base)),
        ] {
            let status = ask.send().await.unwrap().status();
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{} {} with {what}", route.method, route.path);
        }
    }
}

#[tokio::test]
async fn every_route_asks_for_the_scope_that_the_description_names_and_no_other() {
    let server = Server::start().await;
    for route in routes() {
        let Asks::AnyOf(any_of) = &route.asks else { continue };
        let lacking =
            token_with(&server, Scope::ALL.into_iter().filter(|s| !any_of.contains(s) && *s != Scope::Admin).collect()).await;
        let refused = code_of(request(&server, &route, &nothing()).bearer_auth(&lacking).send().await.unwrap()).await;
        let refused = (refused.0, if route.method == Method::HEAD { "insufficient_scope" } else { refused.1.as_str() });
        assert_eq!(refused, (403, "insufficient_scope"), "{} {} without {any_of:?}", route.method, route.path);
        for scope in any_of.iter().copied().chain([Scope::Admin]) {
            let token = token_with(&server, [scope].into_iter().collect()).await;
            let (status, code) = code_of(request(&server, &route, &nothing()).bearer_auth(&token).send().await.unwrap()).await;
            let is_let_in = ![401, 403].contains(&status) && status < 500;
            assert!(is_let_in, "{} {} with {scope:?}: {status} {code}", route.method, route.path);
        }
    }
}

#[tokio::test]
async fn every_route_keeps_to_its_kind_of_caller() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let everything = token_with(&server, [Scope::Admin].into_iter().collect()).await;
    for route in routes() {
        let wrong = match &route.asks {
            Asks::Nothing => continue,
            Asks::AnyOf(_) if route.agents_too => continue,
            Asks::AnyOf(_) => &agent.token,
            Asks::Agent | Asks::Person => &everything,
        };
        let refused = code_of(request(&server, &route, &nothing()).bearer_auth(wrong).send().await.unwrap()).await;
        assert_eq!(refused, (403, "wrong_kind_of_token".to_owned()), "{} {}", route.method, route.path);
    }
}

/// Whatever another site makes a browser send, with the cookie of somebody who may do everything.
#[tokio::test]
async fn no_route_is_changed_by_a_cookie_from_another_site() {
    let server = Server::start().await;
    let admin = Browser::first_admin(&server).await;
    for route in routes().iter().filter(|route| matches!(route.asks, Asks::AnyOf(_) | Asks::Person)) {
        if [Method::GET, Method::HEAD].contains(&route.method) {
            continue;
        }
        for (name, value) in [("Origin", "https://evil.example.com"), ("Sec-Fetch-Site", "same-site"), ("X-Nothing", "said")] {
            let ask = request(&server, route, &nothing()).header("Cookie", &admin.cookie).header(name, value);
            let refused = code_of(ask.send().await.unwrap()).await;
            assert_eq!(refused, (403, "cross_site".to_owned()), "{} {} with {name}", route.method, route.path);
        }
    }
}

/// Every id that there is, asked for by another team.
#[tokio::test]
async fn a_team_sees_nothing_of_another() {
    let server = Server::start().await;
    let job = server.new_job().await;
    let agent = Agent::enrol(&server, "one").await;
    let lease = agent.lease(&server).await.unwrap();
    let token: Value = server.post("/v1/tokens", serde_json::json!({ "name": "theirs", "scopes": ["jobs:read"] })).await.ok();
    let mut theirs = nothing();
    theirs.extend([
        ("jobs", job.id.to_string()),
        ("uploads", job.source.to_string()),
        ("sources", job.source.to_string()),
        ("profiles", "small".to_owned()),
        ("tokens", token["token"]["id"].as_str().unwrap().to_owned()),
        ("leases", lease.id.to_string()),
    ]);
    let of_team =
        [Scope::JobsRead, Scope::JobsWrite, Scope::UploadsWrite, Scope::WebhooksRead, Scope::WebhooksWrite, Scope::TokensWrite];
    let mut other = server.for_new_team("others", 1.0).await;
    other.token = token_with(&other, of_team.into_iter().collect()).await;
    let mut asked = 0;
    for route in routes() {
        let Asks::AnyOf(any_of) = &route.asks else { continue };
        let response = request(&server, &route, &theirs).bearer_auth(&other.token).send().await.unwrap();
        let status = response.status().as_u16();
        // A stream of events goes on; whose they are, a test of its own asks.
        let goes_on = response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let body = if goes_on { String::new() } else { response.text().await.unwrap() };
        let what = format!("{} {}: {status} {body}", route.method, route.path);
        // Only what was asked for by its id may be named, to say that it is not there.
        if !route.path.contains('{') {
            let known = theirs.iter().filter(|(before, _)| **before != "profiles").find(|(_, id)| body.contains(id.as_str()));
            assert_eq!(known, None, "{what}");
            continue;
        }
        if !any_of.iter().any(|scope| of_team.contains(scope)) {
            assert_eq!(status, 403, "the farm's: {what}");
            continue;
        }
        // Names of profiles are each team's own: this one is free, and the body is none.
        let expected = if route.path == "/v1/profiles/{name}" && route.method == Method::PUT { 422 } else { 404 };
        // Where storage is a folder, this is said of every id, one's own too.
        let is_of_all = body.contains("no_direct_uploads");
        assert!(status == expected || is_of_all, "{what}");
        asked += u32::from(!is_of_all);
    }
    assert!(asked >= 15, "{asked}");
    let theirs_as_source = serde_json::json!({ "source": { "upload": job.source }, "profile": "hls-h264" });
    assert_eq!(other.post("/v1/jobs", theirs_as_source).await.problem(404), "source_not_found");
    let theirs_as_profile = serde_json::json!({ "source": { "upload": other.source().await }, "profile": "small" });
    assert_eq!(other.post("/v1/jobs", theirs_as_profile).await.problem(422), "unknown_profile");
    // Nothing that was tried did anything.
    assert_eq!(server.job(&job.id).await.state, offpeak_api::job::JobState::Probing);
    assert_eq!(server.get("/v1/profiles/small").await.status, 200);
    assert_eq!(server.get(&format!("/v1/sources/{}", job.source)).await.status, 200);
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
