//! What every call of a program can rely on: repeats, entity tags, quotas, request ids, pages.

use std::time::Duration;

use offpeak_api::job::{Job, JobList};
use offpeak_server::{router, tick};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{Agent, Server},
    people::Browser,
};

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn code(response: Response) -> String {
    response.json::<Value>().await.unwrap()["code"].as_str().unwrap_or_default().to_owned()
}

fn post(server: &Server, path: &str, key: &str, body: &Value) -> RequestBuilder {
    let request = server.http.post(format!("{}{path}", server.base)).bearer_auth(&server.token);
    request.header("Idempotency-Key", key).json(body)
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_makes_nothing() {
    let server = Server::start().await;
    let wanted = json!({ "source": { "upload": server.source().await } });
    let first = post(&server, "/v1/jobs", "one", &wanted).send().await.unwrap();
    assert_eq!((first.status(), header(&first, "idempotency-replayed")), (StatusCode::CREATED, ""));
    let location = header(&first, "location").to_owned();
    let first: Job = first.json().await.unwrap();

    let again = post(&server, "/v1/jobs", "one", &wanted).send().await.unwrap();
    assert_eq!((again.status(), header(&again, "idempotency-replayed")), (StatusCode::CREATED, "true"));
    assert_eq!((header(&again, "location"), header(&again, "content-type")), (location.as_str(), "application/json"));
    assert_eq!(again.json::<Job>().await.unwrap(), first);

    let other = json!({ "source": wanted["source"], "priority": 1 });
    let refused = post(&server, "/v1/jobs", "one", &other).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), code(refused).await.as_str()), (422, "idempotency_key_reused"));
    let bad = post(&server, "/v1/jobs", "two words", &wanted).send().await.unwrap();
    assert_eq!((bad.status().as_u16(), code(bad).await.as_str()), (400, "bad_idempotency_key"));
    assert_eq!(server.get("/v1/jobs").await.ok::<JobList>().jobs.len(), 1);

    // Another route and another team have keys of their own.
    let group = post(&server, "/v1/groups", "one", &json!({ "name": "Studio" })).send().await.unwrap();
    assert_eq!(group.status(), StatusCode::CREATED);
    let elsewhere = server.for_new_team("other", 1.0).await;
    let wanted = json!({ "source": { "upload": elsewhere.source().await } });
    assert_eq!(post(&elsewhere, "/v1/jobs", "one", &wanted).send().await.unwrap().status(), StatusCode::CREATED);

    // A day later the key is as good as new, and its row is gone.
    server.clock.advance(Duration::from_secs(24 * 3600));
    tick::tick(&server.app).await.unwrap();
    let wanted = json!({ "source": { "url": "https://example.com/film.mp4" } });
    let new = post(&server, "/v1/jobs", "one", &wanted).send().await.unwrap();
    assert_eq!((new.status(), header(&new, "idempotency-replayed")), (StatusCode::CREATED, ""));
}

#[tokio::test]
async fn a_refusal_is_looked_at_anew() {
    let server = Server::start().await;
    let wanted = json!({ "source": { "url": "https://example.com/film.mp4" }, "profile": "small" });
    let refused = post(&server, "/v1/jobs", "key", &wanted).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), code(refused).await.as_str()), (422, "unknown_profile"));
    server.small_profile(vec![]).await;
    assert_eq!(post(&server, "/v1/jobs", "key", &wanted).send().await.unwrap().status(), StatusCode::CREATED);
}

#[tokio::test]
async fn of_equal_requests_at_once_one_makes_a_job() {
    let server = Server::start().await;
    let wanted = json!({ "source": { "url": "https://example.com/film.mp4" } });
    let asked = (0..12).map(|_| post(&server, "/v1/jobs", "key", &wanted).send());
    let mut made = Vec::new();
    for answer in futures_util::future::join_all(asked).await {
        let answer = answer.unwrap();
        match answer.status() {
            StatusCode::CREATED => made.push(answer.json::<Job>().await.unwrap().id),
            status => {
                assert_eq!((status, header(&answer, "retry-after")), (StatusCode::CONFLICT, "1"));
                assert_eq!(code(answer).await, "idempotency_key_in_progress");
            }
        }
    }
    assert!(!made.is_empty());
    made.dedup();
    assert_eq!((made.len(), server.get("/v1/jobs").await.ok::<JobList>().jobs.len()), (1, 1));
}

#[tokio::test]
async fn an_upload_is_begun_once() {
    let server = Server::start().await;
    let begin = |key: &str, length: &str, body: &'static str| {
        server
            .http
            .post(format!("{}/v1/uploads", server.base))
            .bearer_auth(&server.token)
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Length", length)
            .header("Idempotency-Key", key)
            .header("Content-Type", "application/offset+octet-stream")
            .body(body)
            .send()
    };
    let first = begin("key", "10", "bytes").await.unwrap();
    assert_eq!((first.status(), header(&first, "upload-offset")), (StatusCode::CREATED, "5"));
    let again = begin("key", "10", "bytes").await.unwrap();
    assert_eq!((again.status(), header(&again, "idempotency-replayed")), (StatusCode::CREATED, "true"));
    for name in ["location", "upload-offset", "tus-resumable", "upload-expires"] {
        assert_eq!(header(&again, name), header(&first, name), "{name}");
        assert_ne!(header(&again, name), "", "{name}");
    }
    let other = begin("key", "11", "bytes").await.unwrap();
    assert_eq!(code(other).await, "idempotency_key_reused");
}

/// A server that died while it answered: what it committed is known, and what it did not commit is done by the next.
#[tokio::test]
async fn a_server_that_died_leaves_no_doubt() {
    use offpeak_server::entity::idempotency;
    use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
    let server = Server::start().await;
    let wanted = json!({ "source": { "url": "https://example.com/film.mp4" } });
    let first = post(&server, "/v1/jobs", "key", &wanted).send().await.unwrap();
    assert_eq!(first.status(), StatusCode::CREATED);
    let row = idempotency::Entity::find().one(&server.app.db.reader).await.unwrap().unwrap();
    assert!(row.made, "the job and the mark were committed together");
    for (made, expected) in [(true, "idempotency_answer_unknown"), (false, "")] {
        let mut dead = row.clone().into_active_model();
        (dead.made, dead.status, dead.attempt) = (Set(made), Set(None), Set("dead".to_owned()));
        dead.locked_until_ms = Set(server.clock.now().ms() + 60_000);
        let tx = server.app.db.write().await.unwrap();
        dead.update(&tx.tx).await.unwrap();
        tx.commit().await.unwrap();
        let held = post(&server, "/v1/jobs", "key", &wanted).send().await.unwrap();
        assert_eq!(code(held).await, "idempotency_key_in_progress", "it may still be alive");
        server.clock.advance(Duration::from_secs(61));
        let again = post(&server, "/v1/jobs", "key", &wanted).send().await.unwrap();
        assert_eq!(again.json::<Value>().await.unwrap()["code"].as_str().unwrap_or_default(), expected);
    }
    assert_eq!(server.get("/v1/jobs").await.ok::<JobList>().jobs.len(), 2, "the second was never made by the first server");
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let server = Server::start().await;
    let job = server.new_job().await;
    let get = |path: String, tag: Option<String>| {
        let request = server.http.get(format!("{}{path}", server.base)).bearer_auth(&server.token);
        tag.into_iter().fold(request, |request, tag| request.header("If-None-Match", tag)).send()
    };
    for path in [format!("/v1/jobs/{}", job.id), "/v1/jobs".into(), "/v1/profiles/small".into(), "/v1/groups".into()] {
        let first = get(path.clone(), None).await.unwrap();
        let tag = header(&first, "etag").to_owned();
        assert!(first.status() == 200 && tag.len() > 10, "{path}: {tag}");
        assert_eq!(header(&first, "cache-control"), "private, no-cache");
        let again = get(path.clone(), Some(tag.clone())).await.unwrap();
        assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, tag.as_str()), "{path}");
        assert!(again.bytes().await.unwrap().is_empty());
        assert_eq!(get(path, Some("\"other\"".into())).await.unwrap().status(), 200);
    }
    let path = format!("/v1/jobs/{}", job.id);
    let tag = header(&get(path.clone(), None).await.unwrap(), "etag").to_owned();
    server.post(&format!("{path}/cancel"), json!({})).await.ok::<Job>();
    assert_eq!(get(path, Some(tag)).await.unwrap().status(), 200, "it has changed");
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let server = Server::start().await;
    let get = |path: &str| server.http.get(format!("{}{path}", server.base));
    let mine = get("/v1/jobs/x").bearer_auth(&server.token).header("X-Request-Id", "web-42").send().await.unwrap();
    assert_eq!(header(&mine, "x-request-id"), "web-42");
    assert_eq!(mine.json::<Value>().await.unwrap()["request_id"], "web-42");
    for path in ["/healthz", "/nothing", "/v1/jobs", "/media/x/y", "/openapi.json"] {
        let answer = get(path).header("X-Request-Id", "two words").send().await.unwrap();
        let id = header(&answer, "x-request-id").to_owned();
        assert!(id.starts_with("req_") && id.len() == 30, "{path}: {id}");
        if !answer.status().is_success() {
            assert_eq!(answer.json::<Value>().await.unwrap()["request_id"], id.as_str(), "{path}");
        }
    }
}

/// Keys belong to teams, also when people send them; and nobody gets by a key what they may not do.
#[tokio::test]
async fn people_repeat_as_programs_do() {
    let server = Server::start().await;
    let admin = Browser::first_admin(&server).await;
    let source = server.source().await;
    let wanted = json!({ "source": { "upload": source } });
    let by_person = || {
        let request = server.http.post(format!("{}/v1/jobs", server.base)).header("Cookie", &admin.cookie);
        request.header("Origin", &server.base).header("Idempotency-Key", "one").json(&wanted).send()
    };
    let first = by_person().await.unwrap();
    assert_eq!((first.status(), header(&first, "idempotency-replayed")), (StatusCode::CREATED, ""));
    let again = by_person().await.unwrap();
    assert_eq!((again.status(), header(&again, "idempotency-replayed")), (StatusCode::CREATED, "true"));
    assert_eq!(first.json::<Job>().await.unwrap(), again.json::<Job>().await.unwrap());
    assert_eq!(server.get("/v1/jobs").await.ok::<JobList>().jobs.len(), 1);

    let reader = json!({ "name": "reader", "scopes": ["jobs:read"] });
    let reader = admin.call(Method::POST, "/v1/tokens", reader).await.ok::<Value>();
    let secret = reader["secret"].as_str().unwrap();
    let peeking = server.http.post(format!("{}/v1/jobs", server.base)).bearer_auth(secret).header("Idempotency-Key", "one");
    let refused = peeking.json(&wanted).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), code(refused).await.as_str()), (403, "insufficient_scope"));

    // The answer held a secret, which is told once.
    let webhook = json!({ "url": "https://example.com/hook" });
    let made = post(&server, "/v1/webhooks", "hook", &webhook).send().await.unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    let location = header(&made, "location").to_owned();
    let invite = || {
        let request = server.http.post(format!("{}/v1/invitations", server.base)).header("Cookie", &admin.cookie);
        let request = request.header("Origin", &server.base).header("Idempotency-Key", "invited");
        request.json(&json!({ "email": "grace@example.com", "role": "member" })).send()
    };
    assert_eq!(invite().await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(code(invite().await.unwrap()).await, "idempotency_answer_unknown", "a link is a secret, too");
    let repeat = post(&server, "/v1/webhooks", "hook", &webhook).send().await.unwrap();
    assert_eq!((repeat.status().as_u16(), code(repeat).await.as_str()), (409, "idempotency_answer_unknown"));
    let listed: Value = server.get("/v1/webhooks").await.ok();
    assert_eq!(listed["webhooks"].as_array().unwrap().len(), 1);
    assert_eq!(server.get(&location).await.ok::<Value>()["id"], listed["webhooks"][0]["id"]);
}

/// The description says which routes have a quota, tags and keys: the server agrees, route by route.
#[tokio::test]
async fn the_layer_of_programs_is_where_the_description_says() {
    let server = Server::start().await;
    let description = router::openapi();
    let (mut with, mut without) = (0, 0);
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let address = path.replace(['{', '}'], "");
            let answer = server.http.request(method.clone(), format!("{}{address}", server.base)).send().await.unwrap();
            let described = operation["responses"].as_object().unwrap().contains_key("429");
            assert_eq!(answer.headers().contains_key("ratelimit"), described, "{method} {path}");
            if described { with += 1 } else { without += 1 }
        }
    }
    assert!(with > 25 && without > 10, "{with} with, {without} without");
}

#[tokio::test]
async fn a_quota_is_told_and_enforced() {
    let server = Server::start_with(|settings| settings.requests_per_minute = Some(3)).await;
    let get = || server.http.get(format!("{}/v1/jobs", server.base)).bearer_auth(&server.token).send();
    let first = get().await.unwrap();
    assert_eq!((header(&first, "ratelimit"), header(&first, "ratelimit-policy")), ("\"minute\";r=2;t=20", "\"minute\";q=3;w=60"));
    get().await.unwrap();
    get().await.unwrap();
    let refused = get().await.unwrap();
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (429, "20"));
    assert_eq!(code(refused).await, "too_many_requests");
    let agent = Agent::enrol(&server, "one").await;
    for number in 0..5 {
        assert_eq!(agent.ask(&server, &number.to_string(), 0).await.status, 204, "agents have no quota");
    }
    server.clock.advance(Duration::from_secs(20));
    assert_eq!(get().await.unwrap().status(), 200);
}

#[tokio::test]
async fn lists_are_paged_alike() {
    let server = Server::start().await;
    for name in ["a", "b", "c"] {
        server.post("/v1/groups", json!({ "name": name })).await.ok::<Value>();
        Agent::enrol(&server, name).await;
        server.put_profile(&offpeak_api::profile::Profile { name: name.into(), ..Server::profile_of_spans(4.0, vec![]) }).await;
        server.post("/v1/jobs", json!({ "source": { "url": "https://example.com/film.mp4" } })).await.ok::<Job>();
    }
    for (path, field, count) in
        [("groups", "groups", 4), ("agents", "agents", 3), ("profiles", "profiles", 4), ("jobs", "jobs", 3)]
    {
        let (mut seen, mut address) = (Vec::new(), format!("/v1/{path}?limit=2"));
        loop {
            let page: Value = server.get(&address).await.ok();
            seen.extend(page[field].as_array().unwrap().iter().map(ToString::to_string));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            assert_eq!(page[field].as_array().unwrap().len(), 2);
            address = format!("/v1/{path}?limit=2&cursor={cursor}");
        }
        let all: Value = server.get(&format!("/v1/{path}")).await.ok();
        let all: Vec<_> = all[field].as_array().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!((seen.len(), &seen), (count, &all), "{path}");
        for (query, code) in [("limit=0", "bad_limit"), ("limit=201", "bad_limit"), ("limt=2", "bad_filter")] {
            assert_eq!(server.get(&format!("/v1/{path}?{query}")).await.problem(422), code, "{path}?{query}");
        }
    }
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let server = Server::start().await;
    let large = json!({ "name": "x".repeat(300 << 10) });
    assert_eq!(server.post("/v1/groups", &large).await.problem(413), "body_too_large");
    let with_key = post(&server, "/v1/groups", "key", &large).send().await.unwrap();
    assert_eq!((with_key.status().as_u16(), code(with_key).await.as_str()), (413, "body_too_large"));
}
