//! What people see at a glance: the map of a job, figures over jobs, the search through them, and the cloud's price.

use std::time::Duration;

use offpeak_api::{
    figures::{CloudPrice, JobFigures},
    job::{Job, JobList, JobState, RenditionKind},
    lease::{HolderState, Orders, TaskResult},
    map::{JobMap, MadeRun},
    work::Work,
};
use reqwest::Method;
use serde_json::json;

use crate::{
    harness::{Agent, LEASE_GONE, Server, facts},
    people::Browser,
};

async fn map(server: &Server, job: &Job) -> JobMap {
    server.get(&format!("/v1/jobs/{}/map", job.id)).await.ok()
}

#[tokio::test]
async fn the_map_shows_who_made_what_and_who_is_at_what() {
    let server = Server::start().await;
    let (one, two) = (Agent::enrol(&server, "one").await, Agent::enrol(&server, "two").await);
    let queued = server.new_job().await;
    assert_eq!(map(&server, &queued).await, JobMap::default(), "nothing is planned yet");
    server.post(&format!("/v1/jobs/{}/cancel", queued.id), json!({})).await.ok::<Job>();

    // 16 s: eight segments, the first two in spans of their own.
    let job = server.planned_job(&one, 16.0, false).await;
    let planned = map(&server, &job).await;
    assert_eq!(planned.segment_seconds, Some(2.0));
    let [track] = &planned.tracks[..] else { panic!("{planned:?}") };
    assert_eq!((track.kind, track.segments_total, track.renditions.len()), (RenditionKind::Video, 8, 2));
    assert!(track.made.is_empty() && track.open.iter().all(|span| span.holders.is_empty()), "{track:?}");
    assert_eq!(track.open.iter().map(|span| span.last - span.first).sum::<u32>(), 8);

    let first = one.lease(&server).await.unwrap();
    one.do_task(&server, &first).await;
    let second = two.lease(&server).await.unwrap();
    two.do_task(&server, &second).await;
    let third = one.lease(&server).await.unwrap();
    let suspended = json!({ "state": "suspended", "reason": "Somebody is typing." });
    one.post(&server, &format!("/v1/leases/{}/heartbeat", third.id), suspended).await;

    let seen = map(&server, &job).await;
    let names: Vec<&str> = seen.agents.iter().map(|agent| agent.name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    let [id_one, id_two] = [0, 1].map(|n: usize| seen.agents[n].id.clone());
    let track = &seen.tracks[0];
    let made = [MadeRun { first: 0, last: 1, agent: Some(id_one.clone()) }, MadeRun { first: 1, last: 2, agent: Some(id_two) }];
    assert_eq!(track.made, made);
    let held: Vec<_> = track.open.iter().filter(|span| !span.holders.is_empty()).collect();
    let [span] = &held[..] else { panic!("{track:?}") };
    let Work::Encode(work) = &third.work else { panic!("{:?}", third.work) };
    assert_eq!((span.first, span.last), (work.rows.cursor, work.rows.last));
    let [holder] = &span.holders[..] else { panic!("{span:?}") };
    assert_eq!((&holder.agent, holder.state, holder.silent), (&id_one, HolderState::Suspended, false));
    assert_eq!(holder.reason.as_deref(), Some("Somebody is typing."));

    server.clock.advance(LEASE_GONE);
    let later = map(&server, &job).await;
    assert!(later.tracks[0].open.iter().flat_map(|span| &span.holders).all(|holder| holder.silent), "{later:?}");
    let stranger = server.for_new_team("strangers", 1.0).await;
    assert_eq!(stranger.get(&format!("/v1/jobs/{}/map", job.id)).await.problem(404), "job_not_found");
}

#[tokio::test]
async fn figures_count_what_is_open_and_add_up_what_was_made() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 4.0, true).await;
    while let Some(lease) = agent.lease(&server).await {
        agent.do_task(&server, &lease).await;
    }
    assert_eq!(server.job(&job.id).await.state, JobState::Completed);
    server.clock.advance(std::time::Duration::from_secs(60));
    server.new_job().await;
    let cancelled = server.new_job().await;
    server.post(&format!("/v1/jobs/{}/cancel", cancelled.id), json!({})).await.ok::<Job>();
    server.clock.advance(std::time::Duration::from_secs(1));

    let all: JobFigures = server.get("/v1/jobs/figures").await.ok();
    assert_eq!(all.open, [(JobState::Queued, 1)].into());
    assert_eq!(all.ended, [(JobState::Completed, 1), (JobState::Cancelled, 1)].into());
    assert!((all.film_seconds - 4.0).abs() < 1e-9, "{all:?}");
    assert!((all.rendition_seconds - 8.0).abs() < 1e-9, "two rungs: {all:?}");
    assert!(all.working_seconds >= 0.0);

    let from = server.clock.now().to_utc() - std::time::Duration::from_secs(30);
    let from = from.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let late: JobFigures = server.get(&format!("/v1/jobs/figures?from={from}")).await.ok();
    assert_eq!(late.ended, [(JobState::Cancelled, 1)].into());
    assert!(late.film_seconds == 0.0 && late.rendition_seconds == 0.0, "{late:?}");
    let none: JobFigures = server.for_new_team("strangers", 1.0).await.get("/v1/jobs/figures").await.ok();
    assert!(none.open.is_empty() && none.ended.is_empty(), "{none:?}");
    assert_eq!(server.get("/v1/jobs/figures?from=yesterday").await.problem(422), "bad_range");
}

#[tokio::test]
async fn time_saved_is_what_one_machine_would_have_taken_less_what_was_taken() {
    let server = Server::start().await;
    let (one, two) = (Agent::enrol(&server, "one").await, Agent::enrol(&server, "two").await);
    let (first, second) = (server.new_job().await, server.new_job().await);
    let begun = server.clock.now();
    for (agent, lease) in [(&one, one.lease(&server).await.unwrap()), (&two, two.lease(&server).await.unwrap())] {
        let facts = Box::new(facts(16.0, false));
        agent.complete(&server, &lease.id, TaskResult::Probe { facts }).await.ok::<Orders>();
    }
    // Eight segments each, a second for one of them, whoever's they are.
    while let Some(lease) = one.lease(&server).await {
        let Work::Encode(work) = &lease.work else { panic!("{:?} is not encoding", lease.work) };
        server.clock.advance(Duration::from_secs(u64::from(work.rows.last - work.rows.cursor)));
        one.do_task(&server, &lease).await;
    }
    for job in [&first, &second] {
        assert_eq!(server.job(&job.id).await.state, JobState::Completed);
    }
    let took = server.clock.now().since(begun).as_secs_f64();
    server.clock.advance(Duration::from_secs(1));

    let figures: JobFigures = server.get("/v1/jobs/figures").await.ok();
    assert!((figures.one_machine_seconds - 16.0).abs() < 1e-6, "{figures:?}");
    assert!((figures.elapsed_seconds - took).abs() < 1e-6, "both were at work from {begun:?} on, for {took} s: {figures:?}");
    assert!(figures.working_seconds > figures.elapsed_seconds + 1.0, "one waited while the other was at work: {figures:?}");
    let strangers: JobFigures = server.for_new_team("strangers", 1.0).await.get("/v1/jobs/figures").await.ok();
    assert_eq!((strangers.one_machine_seconds, strangers.elapsed_seconds), (0.0, 0.0));
}

#[tokio::test]
async fn jobs_are_found_by_their_names_and_by_what_their_submitters_wrote() {
    let server = Server::start().await;
    server.small_profile(vec![]).await;
    let make = async |metadata: serde_json::Value| {
        let source = server.source().await;
        let body = json!({ "source": { "upload": source }, "profile": "small", "metadata": metadata });
        server.post("/v1/jobs", body).await.ok::<Job>()
    };
    let titled = make(json!({ "title": "All Hands 100%" })).await;
    let other = make(json!({ "desk": "under_score \\ 7" })).await;
    let fetched = json!({ "source": { "url": "https://example.com/films/Quarterly%20Review.mov" }, "profile": "small" });
    let fetched: Job = server.post("/v1/jobs", fetched).await.ok();
    assert_eq!(fetched.source_name.as_deref(), Some("Quarterly Review.mov"));

    let found = async |search: &str| {
        let address = reqwest::Url::parse_with_params("http://x/v1/jobs", [("search", search)]).unwrap();
        let list: JobList = server.get(&format!("/v1/jobs?{}", address.query().unwrap())).await.ok();
        list.jobs.into_iter().map(|job| job.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found("all hands").await, [titled.id.as_str()]);
    assert_eq!(found("100%").await, [titled.id.as_str()]);
    assert_eq!(found("QUARTERLY review").await, [fetched.id.as_str()]);
    assert_eq!(found("/films/").await, [fetched.id.as_str()]);
    assert_eq!(found("under_s").await, [other.id.as_str()]);
    assert_eq!(found(other.id.as_str()).await, [other.id.as_str()]);
    // Neither is a wildcard here.
    assert!(found("a_l hands").await.is_empty() && found("all%100").await.is_empty());
    assert_eq!(server.get("/v1/jobs?search=").await.problem(422), "bad_filter");
    let list: JobList = server.get("/v1/jobs?search=all&state=failed").await.ok();
    assert!(list.jobs.is_empty());
}

#[tokio::test]
async fn an_administrator_says_what_a_cloud_would_ask() {
    let server = Server::start().await;
    let usual: CloudPrice = server.get("/v1/fleet/cloud-price").await.ok();
    assert_eq!(usual, CloudPrice::default());
    let ada = Browser::first_admin(&server).await;
    let set = async |body| ada.call(Method::PUT, "/v1/fleet/cloud-price", body).await;
    for wrong in [
        json!({ "per_minute": -1, "currency": "EUR" }),
        json!({ "per_minute": 1001, "currency": "EUR" }),
        json!({ "per_minute": 1, "currency": "euro" }),
    ] {
        assert_eq!(set(wrong.clone()).await.problem(422), "bad_price", "{wrong}");
    }
    for per_minute in [0.02, 0.015] {
        set(json!({ "per_minute": per_minute, "currency": "EUR" })).await.ok::<CloudPrice>();
        let price: CloudPrice = server.get("/v1/fleet/cloud-price").await.ok();
        assert_eq!(price, CloudPrice { per_minute, currency: "EUR".to_owned() });
    }
    let body = json!({ "per_minute": 1, "currency": "EUR" });
    let by_program = server.call(&server.token, Method::PUT, "/v1/fleet/cloud-price", Some(body)).await;
    assert_eq!(by_program.problem(403), "insufficient_scope");
}
