//! The farm is looked after with the dashboard, in a real browser: a machine is enrolled with the link that a page shows, drained,
//! renamed and revoked; policies, profiles, webhooks, tokens, teams and people are made and used; and a thousand machines scroll.
//! `browser/dashboard-admin.mjs` is the administrator.

use std::time::Duration;

use offpeak_tests::{browser::Person, client::Client, system::System};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// An engine tests its encoders, and a thousand machines enrol one after the other.
const LIMIT: Duration = Duration::from_secs(600);

#[tokio::test]
async fn an_administrator_looks_after_the_farm() {
    // The receiver of webhooks is on this machine.
    let mut system = System::start_with(0, &[("OFFPEAK_OUTBOUND_ALLOW", "127.0.0.1")]).await;
    let setup = system.server_says(&["people", "setup"]);
    let link = setup.lines().find(|line| line.contains("/setup?code=")).expect("a link").trim().to_owned();
    let server = system.client.server().as_str().trim_end_matches('/').to_owned();
    let folder = system.scratch().display().to_string();

    let mut administrator = Person::at_work("dashboard-admin.mjs", &[&server, &link, &folder], LIMIT);
    let (mut engines, mut machines) = (0, 0);
    while let Some(wish) = administrator.asks().await {
        match wish.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["enrol", name, "with", link] => {
                system.start_engine_by(name, link);
                engines += 1;
            }
            ["enrol", count, "more"] => {
                machines = count.parse().expect("a number");
                enrol_many(&system.client, machines).await;
            }
            _ => panic!("nobody can do that: {wish}"),
        }
        administrator.done().await;
    }
    administrator.is_content().await;
    assert_eq!((engines, machines), (1, 1000), "the administrator left something out");
}

/// Machines that are known by name and never say anything.
async fn enrol_many(client: &Client, count: u32) {
    let code = client.request(Method::POST, "/v1/enrolment-codes").json(&json!({ "uses": count, "name": "many" }));
    let code: Value = code.send().await.expect("an answer").json().await.expect("a code");
    for number in 1..=count {
        let machine = json!({ "code": code["code"], "name": format!("machine-{number}") });
        let answer = client.anonymous(Method::POST, "/v1/agents/enrol").json(&machine).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::CREATED, "machine-{number}");
    }
}
