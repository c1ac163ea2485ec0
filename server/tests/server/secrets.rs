//! What every answer is sent with, and what no log ever says.

use std::{
    io,
    sync::{Arc, Mutex},
};

use offpeak_api::{access::CreatedToken, lease::EnrolResponse, people::CreatedLink};
use offpeak_server::people::links;
use reqwest::Method;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    harness::{Agent, Server},
    people::{Browser, PASSWORD},
};

/// A log that a test can read.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The most talkative log there is, of a whole session: set-up, login, tokens, enrolment, an upload, leases, signed addresses.
#[tokio::test]
async fn no_secret_is_ever_logged() {
    let log = Log::default();
    // Of this thread only, on which all of this test runs. The test's own client is no part of it.
    let filter = tracing_subscriber::EnvFilter::new("trace,hyper_util=off,reqwest=off,hyper=off");
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let server = Server::start().await;
    let setup = links::setup_link(&server.app).await.unwrap().unwrap();
    let ada = Browser::first_admin(&server).await;
    Browser::log_in(&server, "ada@example.com", "not the password").await;
    let again = Browser::of(&server, Browser::log_in(&server, "ada@example.com", PASSWORD).await);
    let invitation: CreatedLink =
        ada.call(Method::POST, "/v1/invitations", json!({ "email": "bob@example.com", "role": "member" })).await.ok();
    let token: CreatedToken = ada.call(Method::POST, "/v1/tokens", json!({ "name": "x", "scopes": ["jobs:read"] })).await.ok();
    let code: serde_json::Value = ada.call(Method::POST, "/v1/enrolment-codes", json!({})).await.ok();
    let code = code["code"].as_str().unwrap().to_owned();
    let enrolled: EnrolResponse = server.post("/v1/agents/enrol", json!({ "code": code, "name": "desk 7" })).await.ok();
    let agent = Agent { token: enrolled.token.clone() };
    let job = server.planned_job(&agent, 4.0, false).await;
    let lease = agent.lease(&server).await.unwrap();
    agent.do_task(&server, &lease).await;
    for path in ["/v1/jobs?team=ofp_in_a_query", "/login?code=ofl_in_a_query", "/media/x/y?signature=in_a_query"] {
        server.http.get(format!("{}{path}", server.base)).bearer_auth(&server.token).send().await.unwrap();
    }

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("logged in") && text.contains(job.id.as_str()) && text.contains("DEBUG"), "the log was taken down");
    let secret_of = |cookie: &str| cookie.split_once('=').unwrap().1.to_owned();
    let code_of = |url: &str| url.split_once("code=").unwrap().1.to_owned();
    for (what, secret) in [
        ("a program's token", server.token.clone()),
        ("a new token", token.secret),
        ("an agent's token", enrolled.token),
        ("an enrolment code", code),
        ("a session", secret_of(&ada.cookie)),
        ("another session", secret_of(&again.cookie)),
        ("a set-up link", code_of(&setup)),
        ("an invitation", code_of(&invitation.url)),
        ("a password", PASSWORD.to_owned()),
        ("a wrong password", "not the password".to_owned()),
        ("an email", "ada@example.com".to_owned()),
        ("a query", "in_a_query".to_owned()),
        ("a signature", "signature=".to_owned()),
        ("a hash of a secret", offpeak_server::auth::hash_secret(&server.token)),
    ] {
        let said = text.lines().find(|line| line.contains(&secret));
        assert_eq!(said, None, "{what} is in the log");
    }
}

/// Pages, assets, answers, refusals: none without the headers that keep browsers from doing what nobody meant.
#[tokio::test]
async fn every_answer_is_locked_down() {
    let server = Server::start().await;
    let job = server.new_job().await;
    let media = format!("/media/{}/multivariant.m3u8", job.id);
    for path in [
        "/",
        "/watch/job_01J8ZC5V2M0N6QW3T7RX9KPEHD",
        "/login",
        "/setup?code=x",
        "/invitation?code=x",
        "/reset?code=x",
        "/access/page.js",
        "/access/page.css",
        "/favicon.ico",
        "/assets/gone.js",
        "/docs/",
        "/openapi.json",
        "/healthz",
        "/readyz",
        "/v1/jobs",
        "/v1/session",
        "/v1/jobs/not-an-id",
        "/nothing",
        &media,
    ] {
        let response = server.http.get(format!("{}{path}", server.base)).bearer_auth(&server.token).send().await.unwrap();
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        let script = policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap_or_default();
        assert!(!script.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("strict-transport-security"), "", "{path}: this server is not behind TLS");
        if path == "/favicon.ico" {
            assert_eq!(
                (response.status().as_u16(), header("content-type")),
                (200, "image/svg+xml"),
                "browsers ask for it by themselves"
            );
        }
        if path.starts_with("/login") || path.starts_with("/setup") || path.starts_with("/reset") {
            assert_eq!(header("cache-control"), "no-store", "{path}");
            let page = response.text().await.unwrap();
            assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("onclick"), "{path}");
        }
    }
}
