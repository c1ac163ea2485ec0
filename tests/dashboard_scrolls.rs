//! Lists of 10,000 jobs and 1,000 machines scroll, in a real browser: only rows in sight are drawn, and they are the right ones, at
//! the head, in the middle, at the end, and under the filters of an address. `browser/dashboard-scrolls.mjs` is the reader.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use offpeak_api::job::{CreateJob, JobSource};
use offpeak_tests::{browser::Person, client::Client, system::System};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Eleven thousand rows are written before, one by one, on a machine that builds something else at the same time.
const LIMIT: Duration = Duration::from_secs(600);
const JOBS: usize = 10_000;
const CANCELLED: usize = 25;
const MACHINES: usize = 1000;
/// SQLite has one writer, which takes many writes in one transaction when they wait together.
const AT_ONCE: usize = 32;

#[tokio::test]
async fn long_lists_scroll() {
    let system = System::start(0).await;
    make_jobs(&system.client).await;
    enrol_machines(&system.client).await;
    let setup = system.server_says(&["people", "setup"]);
    let link = setup.lines().find(|line| line.contains("/setup?code=")).expect("a link").trim().to_owned();
    let server = system.client.server().as_str().trim_end_matches('/').to_owned();
    let folder = system.scratch().display().to_string();
    let counts = [JOBS, CANCELLED, MACHINES].map(|count| count.to_string());
    let [jobs, cancelled, machines] = counts.each_ref().map(String::as_str);
    let mut reader = Person::at_work("dashboard-scrolls.mjs", &[&server, &link, &folder, jobs, cancelled, machines], LIMIT);
    assert_eq!(reader.asks().await, None, "it only reads");
    reader.is_content().await;
}

/// Jobs of one source that no machine will ever read, some of them cancelled.
async fn make_jobs(client: &Client) {
    let source = client.upload_bytes("no film".into()).await;
    let make = |number: usize| {
        let job = json!({ "source": { "upload": source }, "profile": "hls-h264", "metadata": { "title": format!("reel-{number:05}") } });
        // What the types of the API would refuse is a fault of this test.
        let job: CreateJob = serde_json::from_value(job).expect("a job");
        assert!(matches!(job.source, JobSource::Upload { .. }), "the jobs have one source");
        let request = client.request(Method::POST, "/v1/jobs").json(&job);
        async move {
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::CREATED, "job {number}");
            answer.json::<Value>().await.expect("a job")["id"].as_str().expect("an id").to_owned()
        }
    };
    let ids: Vec<String> = stream::iter(1..=JOBS).map(make).buffer_unordered(AT_ONCE).collect().await;
    for id in ids.iter().step_by(JOBS / CANCELLED) {
        let answer = client.request(Method::POST, &format!("/v1/jobs/{id}/cancel")).send().await.expect("an answer");
        assert!(answer.status().is_success(), "cancel {id}: {}", answer.status());
    }
}

/// Machines that are known by name and never say anything.
async fn enrol_machines(client: &Client) {
    let code = client.request(Method::POST, "/v1/enrolment-codes").json(&json!({ "uses": MACHINES, "name": "many" }));
    let code: Value = code.send().await.expect("an answer").json().await.expect("a code");
    let enrol = |number: usize| {
        let machine = json!({ "code": code["code"], "name": format!("machine-{number:04}") });
        let request = client.anonymous(Method::POST, "/v1/agents/enrol").json(&machine);
        async move {
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::CREATED, "machine {number}");
        }
    };
    stream::iter(1..=MACHINES).map(enrol).buffer_unordered(AT_ONCE).collect::<()>().await;
}
