//! Jobs as programs see them.

use offpeak_api::{
    job::{Job, JobEvent, JobList, JobState},
    problem::Problem,
};
use reqwest::Method;
use serde_json::json;

use crate::harness::{Agent, Server};

#[tokio::test]
async fn what_cannot_become_a_job_is_told_why() {
    let server = Server::start().await;
    let source = server.source().await;
    let unknown = "src_01J8ZC5V2M0N6QW3T7RX9KPEHD";
    let cases = [
        (json!({ "source": { "upload": source }, "profile": "nope" }), 422, "unknown_profile"),
        (json!({ "source": { "upload": unknown } }), 404, "source_not_found"),
        (json!({ "source": { "upload": "film.mp4" } }), 422, "invalid_body"),
        (json!({ "source": { "url": "ftp://example.com/film.mp4" } }), 422, "bad_url"),
        (json!({ "source": { "url": "http://10.0.0.1/film.mp4" } }), 422, "address_not_allowed"),
        (json!({ "source": { "url": "http://0xa9fea9fe/latest/meta-data" } }), 422, "address_not_allowed"),
        (json!({ "source": { "url": "http://[::ffff:127.0.0.1]/film.mp4" } }), 422, "address_not_allowed"),
        (json!({ "source": { "upload": source }, "priority": 10 }), 422, "bad_priority"),
        (json!({ "source": { "upload": source }, "colour": "red" }), 422, "invalid_body"),
        (json!({ "source": { "upload": source }, "metadata": { "": "x" } }), 422, "bad_metadata"),
        (json!({ "source": { "upload": source }, "metadata": { "a": "\u{0}" } }), 422, "bad_metadata"),
        (json!({ "source": { "upload": source, "url": "https://example.com/film.mp4" } }), 422, "invalid_body"),
        (json!({ "source": {} }), 422, "invalid_body"),
        (json!([]), 422, "invalid_body"),
    ];
    for (body, status, code) in cases {
        assert_eq!(server.post("/v1/jobs", &body).await.problem(status), code, "{body}");
    }
    let text = server.http.post(format!("{}/v1/jobs", server.base)).bearer_auth(&server.token);
    let broken = text.header("content-type", "application/json").body("{ \"source\": ").send().await.unwrap();
    assert_eq!(broken.status(), 400);
    assert_eq!(broken.json::<serde_json::Value>().await.unwrap()["code"], "invalid_json");
}

#[tokio::test]
async fn an_unfinished_upload_is_no_source_yet() {
    let server = Server::start().await;
    let response = server
        .http
        .post(format!("{}/v1/uploads", server.base))
        .bearer_auth(&server.token)
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Length", "10")
        .send()
        .await
        .unwrap();
    let id = response.headers()["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(server.post("/v1/jobs", json!({ "source": { "upload": id } })).await.problem(409), "upload_unfinished");
}

#[tokio::test]
async fn jobs_are_listed_in_pages_youngest_first() {
    let server = Server::start().await;
    let mut made = vec![];
    for _ in 0..5 {
        made.push(server.new_job().await.id);
    }
    made.reverse();
    let first: JobList = server.get("/v1/jobs?limit=3").await.ok();
    let cursor = first.next_cursor.unwrap();
    let second: JobList = server.get(&format!("/v1/jobs?limit=3&cursor={cursor}")).await.ok();
    assert_eq!(second.next_cursor, None);
    let listed: Vec<_> = first.jobs.into_iter().chain(second.jobs).map(|job| job.id).collect();
    assert_eq!(listed, made);
    let none: JobList = server.get("/v1/jobs?state=completed,failed").await.ok();
    assert!(none.jobs.is_empty());
    assert_eq!(server.get("/v1/jobs?state=done").await.problem(422), "bad_state");
    assert_eq!(server.get("/v1/jobs?limit=0").await.problem(422), "bad_limit");
    assert_eq!(server.get("/v1/jobs?limit=many").await.problem(422), "bad_filter");
}

#[tokio::test]
async fn a_deleted_job_is_gone_with_its_objects() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 4.0, false).await;
    let lease = agent.lease(&server).await.unwrap();
    agent.do_task(&server, &lease).await;
    let path = format!("/v1/jobs/{}", job.id);
    assert_eq!(server.call(&server.token, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(server.get(&path).await.problem(404), "job_not_found");
    assert_eq!(server.storage.keys(&format!("jobs/{}/", job.id)), [""; 0]);
}

#[tokio::test]
async fn only_failed_jobs_can_be_retried_and_only_running_ones_cancelled() {
    let server = Server::start().await;
    let job = server.new_job().await;
    assert_eq!(server.post(&format!("/v1/jobs/{}/retry", job.id), json!({})).await.problem(409), "job_not_failed");
    let cancelled: Job = server.post(&format!("/v1/jobs/{}/cancel", job.id), json!({})).await.ok();
    assert_eq!(cancelled.state, JobState::Cancelled);
    server.post(&format!("/v1/jobs/{}/cancel", job.id), json!({})).await.ok::<Job>();
}

#[tokio::test]
async fn events_tell_a_job_from_its_beginning_to_its_end() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 4.0, false).await;
    let stream = server.http.get(format!("{}/v1/jobs/{}/events", server.base, job.id)).bearer_auth(&server.token);
    let text = tokio::spawn(async move { stream.send().await.unwrap().text().await.unwrap() });
    while let Some(lease) = agent.lease(&server).await {
        agent.do_task(&server, &lease).await;
    }
    // The stream ends by itself when the job is over.
    let text = tokio::time::timeout(std::time::Duration::from_secs(20), text).await.unwrap().unwrap();
    let kinds: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&"job.created"), Some(&"job.completed")), "{kinds:?}");
    for kind in ["lease.granted", "job.planned", "segments.committed", "job.playable", "lease.ended"] {
        assert!(kinds.contains(&kind), "{kind} is missing in {kinds:?}");
    }
    let late = server.http.get(format!("{}/v1/jobs/{}/events", server.base, job.id)).bearer_auth(&server.token);
    let last = text.lines().filter_map(|line| line.strip_prefix("id: ")).nth(kinds.len() - 2).unwrap();
    let rest = late.header("Last-Event-ID", last).send().await.unwrap().text().await.unwrap();
    assert_eq!(rest.matches("event: ").count(), 1, "{rest}");
}

#[tokio::test]
async fn a_team_is_told_of_all_its_jobs_and_of_no_others() {
    let server = Server::start().await;
    let strangers = server.for_new_team("strangers", 1.0).await;
    server.new_job().await;
    let watch = async |after: Option<&str>| {
        let mut stream = server.http.get(format!("{}/v1/jobs/events", server.base)).bearer_auth(&server.token);
        if let Some(after) = after {
            stream = stream.header("Last-Event-ID", after);
        }
        let answer = stream.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer
    };
    let mut live = watch(None).await;
    strangers.new_job().await;
    let (second, third) = (server.new_job().await, server.new_job().await);
    let read_until = async |answer: &mut reqwest::Response, end: &str| {
        let mut text = String::new();
        while !text.contains(end) {
            let limit = std::time::Duration::from_secs(20);
            let piece = tokio::time::timeout(limit, answer.chunk()).await.expect("an event in time").unwrap();
            text.push_str(std::str::from_utf8(&piece.expect("the stream goes on")).unwrap());
        }
        text
    };
    let told = read_until(&mut live, third.id.as_str()).await;
    let jobs = |text: &str| -> Vec<String> {
        let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
        events.map(|data| serde_json::from_str::<JobEvent>(data).unwrap().job.to_string()).collect()
    };
    assert_eq!(jobs(&told), [second.id.as_str(), third.id.as_str()], "from now on, and of this team alone");
    let seen = told.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
    let rest = read_until(&mut watch(Some(seen)).await, third.id.as_str()).await;
    assert_eq!(jobs(&rest), [third.id.as_str()], "what came after the last one that was seen");
}

#[tokio::test]
async fn a_refusal_says_which_part_of_the_body_it_is_about() {
    let server = Server::start().await;
    let source = server.source().await;
    let pointers = async |path: &str, body: serde_json::Value| {
        let answer = server.post(path, body).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        let problem: Problem = serde_json::from_str(&answer.text()).unwrap();
        problem.errors.into_iter().map(|misfit| misfit.pointer).collect::<Vec<_>>()
    };
    let job =
        |priority: serde_json::Value| json!({ "source": { "upload": source }, "profile": "hls-h264", "priority": priority });
    assert_eq!(pointers("/v1/jobs", job(json!(12))).await, ["#/priority"], "a rule");
    assert_eq!(pointers("/v1/jobs", job(json!("high"))).await, ["#/priority"], "a type");
    assert_eq!(pointers("/v1/jobs", json!({ "priority": 5 })).await, ["#/source"], "what is missing");
    assert_eq!(pointers("/v1/enrolment-codes", json!({ "usses": 2 })).await, ["#/usses"], "what is unknown");
    assert_eq!(pointers("/v1/groups", json!({ "name": "" })).await, ["#/name"]);
    let answer = server.get("/v1/jobs?search=").await;
    let problem: Problem = serde_json::from_str(&answer.text()).unwrap();
    assert!(problem.errors.is_empty(), "a parameter is no part of a body: {problem:?}");
}
