//! Signed playback: what a profile with `access: signed` makes plays from signed addresses only, until they expire.

use std::time::Duration;

use offpeak_api::{
    job::{Job, JobState},
    lease::{ObjectName, Orders, TaskResult},
    profile::{Access, FileContainer, FileProfile},
    work::Work,
};
use reqwest::{Url, redirect::Policy};
use serde_json::json;

use crate::harness::{Agent, Answer, Server, facts};

/// A job that is complete, with a file, which plays as the profile says.
async fn film(server: &Server, access: Access) -> Job {
    let files = vec![FileProfile { name: "film.mp4".into(), container: FileContainer::Mp4, height: None }];
    let mut profile = Server::profile_of_spans(4.0, files);
    profile.access = access;
    server.put_profile(&profile).await;
    let source = server.source().await;
    let job: Job = server.post("/v1/jobs", json!({ "source": { "upload": source }, "profile": "small" })).await.ok();
    let agent = Agent::enrol(server, "one").await;
    while let Some(lease) = agent.lease(server).await {
        match &lease.work {
            Work::Probe(_) => {
                let facts = Box::new(facts(8.0, true));
                agent.complete(server, &lease.id, TaskResult::Probe { facts }).await.ok::<Orders>();
            }
            Work::Encode(_) | Work::Audio(_) => agent.do_task(server, &lease).await,
            Work::File(_) => {
                let name = ObjectName::File;
                let (bytes, sha256) = agent.upload(server, &lease.id, name, "film").await;
                let result = TaskResult::File { attempt: 0, bytes, sha256 };
                agent.complete(server, &lease.id, result).await.ok::<Orders>();
            }
            Work::Fetch(_) => panic!("nothing is fetched"),
        }
    }
    let job = server.job(&job.id).await;
    assert_eq!(job.state, JobState::Completed);
    job
}

/// As a player asks, which does not follow to a bucket: status, answer, how it may be kept.
async fn play(server: &Server, address: &Url) -> (u16, String, String) {
    let player = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let response = player.get(address.clone()).send().await.unwrap();
    let kept = response.headers().get("cache-control").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let leads_to = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    if let Some(there) = leads_to {
        let response = player.get(server.url(&there)).send().await.unwrap();
        return (response.status().as_u16(), String::new(), kept);
    }
    (response.status().as_u16(), response.text().await.unwrap(), kept)
}

/// An address that was given out, on the port of this test's server.
fn here(server: &Server, address: &str) -> Url {
    let given: Url = address.parse().unwrap();
    server.url(&format!("{}?{}", given.path(), given.query().unwrap_or_default()))
}

/// What a playlist or manifest names.
fn named(text: &str) -> Vec<String> {
    let mut found = vec![];
    for line in text.lines() {
        if !line.is_empty() && !line.starts_with('#') && !line.trim_start().starts_with('<') {
            found.push(line.to_owned());
        }
        for name in ["URI=\"", "media=\"", "sourceURL=\"", "VALUE=\""] {
            let value = line.split_once(name).and_then(|(_, rest)| rest.split_once('"')).map(|(value, _)| value);
            found.extend(value.filter(|value| value.contains(['/', '.'])).map(|value| value.replace("&amp;", "&")));
        }
    }
    found
}

#[tokio::test]
async fn everything_that_a_signed_address_leads_to_is_signed_and_expires_with_it() {
    let server = Server::start().await;
    let job = film(&server, Access::Signed).await;
    let (hls, dash) = (here(&server, &job.outputs.hls.unwrap()), here(&server, &job.outputs.dash.unwrap()));
    let file = here(&server, &job.outputs.files[0].url);
    assert!(job.outputs.watch.unwrap().contains("?expires="));
    let mut all = vec![hls.clone(), dash.clone(), file.clone()];
    let mut at = 0;
    while let Some(address) = all.get(at).cloned() {
        let (status, text, kept) = play(&server, &address).await;
        assert_eq!(status, 200, "{address}");
        assert!(kept.starts_with("private"), "{address}: {kept}");
        if address.path().ends_with(".m3u8") || address.path().ends_with(".mpd") {
            let base = address.clone();
            all.extend(named(&text).iter().map(|name| base.join(name).unwrap()));
        }
        at += 1;
    }
    assert!(all.len() > 20, "playlists, init segments, segments, sound, the file: {}", all.len());

    let code = async |address: &Url| {
        let response = server.http.get(address.clone()).send().await.unwrap();
        let answer = Answer::of(response).await;
        let status = answer.status.as_u16();
        (status, if status < 400 { String::new() } else { answer.problem(status) })
    };
    for address in &all {
        assert!(address.query().is_some_and(|query| query.contains("signature=")), "{address}");
        let mut bare = address.clone();
        bare.set_query(None);
        assert_eq!(code(&bare).await, (403, "signature_needed".into()), "{bare}");
        let query = address.query().unwrap().to_owned();
        let mut longer = address.clone();
        longer.set_query(Some(&query.replacen("expires=1", "expires=2", 1)));
        assert_eq!(code(&longer).await, (403, "bad_signature".into()), "{longer}");
    }
    // The signature of one film plays no other.
    let other = film(&server, Access::Signed).await;
    let mut elsewhere = here(&server, &other.outputs.hls.unwrap());
    elsewhere.set_query(hls.query());
    assert_eq!(code(&elsewhere).await, (403, "bad_signature".into()));

    server.clock.advance(Duration::from_secs(12 * 3600) - Duration::from_secs(1));
    assert_eq!(code(&hls).await.0, 200);
    server.clock.advance(Duration::from_secs(15 * 60) + Duration::from_secs(1));
    for address in &all {
        assert_eq!(code(address).await, (403, "expired_address".into()), "{address}");
    }
    let fresh = server.job(&job.id).await;
    assert_eq!(code(&here(&server, &fresh.outputs.hls.unwrap())).await.0, 200);
}

#[tokio::test]
async fn a_running_job_plays_from_signed_addresses_too() {
    let server = Server::start().await;
    let mut profile = Server::profile_of_spans(4.0, vec![]);
    profile.access = Access::Signed;
    server.put_profile(&profile).await;
    let source = server.source().await;
    let job: Job = server.post("/v1/jobs", json!({ "source": { "upload": source }, "profile": "small" })).await.ok();
    let agent = Agent::enrol(&server, "one").await;
    let probe = agent.lease(&server).await.unwrap();
    let facts = Box::new(facts(16.0, false));
    agent.complete(&server, &probe.id, TaskResult::Probe { facts }).await.ok::<Orders>();
    // The two short ones at the front.
    for _ in 0..2 {
        let span = agent.lease(&server).await.unwrap();
        agent.do_task(&server, &span).await;
    }
    let job = server.job(&job.id).await;
    assert_eq!(job.state, JobState::Encoding);
    let hls = here(&server, &job.outputs.hls.unwrap());
    let (status, text, _) = play(&server, &hls).await;
    assert_eq!(status, 200);
    let media = hls.join(&named(&text)[0]).unwrap();
    let (status, text, kept) = play(&server, &media).await;
    assert!(status == 200 && text.contains("EVENT") && kept == "private, max-age=1", "{status} {kept} {text}");
    assert!(named(&text).iter().all(|name| name.contains("signature=")), "{text}");
}

/// What would name every segment is not written to where a CDN could show it.
#[tokio::test]
async fn playlists_of_signed_jobs_are_not_kept_in_storage() {
    let server = Server::start().await;
    for (access, kept) in [(Access::Signed, false), (Access::Public, true)] {
        let job = film(&server, access).await;
        let key = format!("jobs/{}/multivariant.m3u8", job.id).parse().unwrap();
        let found = server.app.blobs.read_small(&key).await.unwrap();
        assert_eq!(found.is_some(), kept, "{access:?}");
        let hls = job.outputs.hls.unwrap();
        assert_eq!(hls.contains('?'), !kept, "{hls}");
    }
}
