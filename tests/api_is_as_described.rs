//! The running server keeps what its description promises: schemathesis asks it for everything in ways that fit and ways that
//! do not.

use std::{process::Command, time::Duration};

use offpeak_api::{
    access::TokenList,
    people::{CreatedLink, Role},
};
use offpeak_tests::{
    client::{Client, answer, send},
    programs::workspace,
    sources,
    system::System,
};
use reqwest::Method;
use serde_json::{Value, json};

/// The tool is told to stop after two minutes; starting and stopping it take some seconds, more on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

const EVERY_SCOPE: &str =
    "jobs:read,jobs:write,uploads:write,agents:read,agents:write,webhooks:read,webhooks:write,tokens:write,admin";

/// Follows the link that somebody was given; what their session's cookie holds.
async fn let_in(system: &System, link: &str, who: Value) -> String {
    let (_, code) = link.split_once("?code=").expect("a link with a code");
    let mut body = json!({ "code": code, "password": "a long sentence" });
    body.as_object_mut().expect("fields").extend(who.as_object().expect("fields").clone());
    let response = system.client.anonymous(Method::POST, "/v1/links").json(&body).send().await.expect("an answer");
    assert_eq!(response.status(), 201);
    let cookie = response.headers()["set-cookie"].to_str().expect("text");
    let (_, rest) = cookie.split_once("offpeak_session=").expect("the session's cookie");
    rest.split(';').next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_asked_finds_a_difference() {
    let tool = workspace().join(".offpeak/python/bin/schemathesis");
    assert!(tool.exists(), "{} is missing: run `cargo xtask setup --test`", tool.display());
    // Nobody works: jobs stay as they were made. What counts is the answers, and thousands of them.
    let system = System::start_with(0, &[("OFFPEAK_REQUESTS_PER_MINUTE", "0"), ("RUST_LOG", "warn")]).await;
    system.client.put_profile(&sources::small_profile()).await;
    // All that a program may do, an administrator's session, and one of somebody who logs out.
    let token = system.server_says(&["token", "create", "--name", "asker", "--scope", EVERY_SCOPE]);
    let client = Client::new(system.client.server().clone(), token.clone());
    let tokens: TokenList = answer(send(client.request(Method::GET, "/v1/tokens")).await).await.expect("the tokens");
    let own = tokens.tokens.iter().find(|token| token.name == "asker").expect("its own").id.to_string();
    let ada = json!({ "email": "ada@example.com", "name": "Ada" });
    let session = let_in(&system, &system.server_says(&["people", "setup"]), ada).await;
    let invited = json!({ "email": "grace@example.com", "role": Role::Member });
    let invited: CreatedLink =
        answer(send(client.request(Method::POST, "/v1/invitations").json(&invited)).await).await.expect("a link");
    let other_session = let_in(&system, &invited.url, json!({})).await;
    let mut command = Command::new(tool);
    command
        .current_dir(system.scratch())
        .arg("--config-file")
        .arg(workspace().join("openapi/tools/schemathesis.toml"))
        .args(["run", "--no-color"])
        // The same questions each time; others with OFFPEAK_SEED.
        .args(match std::env::var("OFFPEAK_SEED") {
            Ok(seed) => vec!["--seed".to_owned(), seed],
            Err(_) => vec!["--generation-deterministic".to_owned()],
        })
        .arg(system.client.server().join("openapi.json").expect("an address").as_str())
        .env("OFFPEAK_TOKEN", token)
        .env("OFFPEAK_TOKEN_ID", own)
        .env("OFFPEAK_SESSION", &session)
        .env("OFFPEAK_OTHER_SESSION", other_session)
        .env("OFFPEAK_AGENT_TOKEN", system.server_says(&["token", "create", "--name", "asker", "--kind", "agent"]))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPATH", workspace().join("openapi/tools"))
        .env("NO_PROXY", "127.0.0.1");
    let mut command = tokio::process::Command::from(command);
    let ran = tokio::time::timeout(LIMIT, command.kill_on_drop(true).output()).await.expect("schemathesis ends");
    let ran = ran.expect("schemathesis starts");
    let (stdout, stderr) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("No issues found"), "{stdout}");
    // It was not shut out on the way: then every answer would have been the same refusal.
    assert_eq!(send(client.request(Method::GET, "/v1/tokens")).await.status(), 200);
    let who = client.anonymous(Method::GET, "/v1/session").header("Cookie", format!("offpeak_session={session}"));
    assert_eq!(send(who).await.status(), 200);
}
