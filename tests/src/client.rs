//! The API as a program uses it: uploads by tus, jobs, profiles, events, media.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt;
use offpeak_api::{
    fleet::GroupList,
    ids::{JobId, SourceId},
    job::{CreateJob, Job, JobEvent, JobSource, JobState, Metadata},
    policy::Policy,
    problem::Problem,
    profile::Profile,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use url::Url;

/// A request that takes longer hangs. (Event streams have no limit.)
const LONGEST_REQUEST: Duration = Duration::from_secs(60);
const POLL_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    token: String,
}

/// An answer that is not a success, as it came.
#[derive(Debug)]
pub struct Refused {
    pub status: StatusCode,
    pub problem: Problem,
}

impl Client {
    pub fn new(server: Url, token: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { http, server, token }
    }

    pub fn server(&self) -> &Url {
        &self.server
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// A request with the token; `path` is resolved against the server's address.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = self.server.join(path).unwrap_or_else(|e| panic!("{path} is no address: {e}"));
        self.http.request(method, url).bearer_auth(&self.token)
    }

    /// A request without the token, as players send it.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        let url = self.server.join(path).unwrap_or_else(|e| panic!("{path} is no address: {e}"));
        self.http.request(method, url)
    }

    /// Media, without the token; it has to be there.
    pub async fn media(&self, path: &str) -> Bytes {
        let response = send(self.anonymous(Method::GET, path)).await;
        let status = response.status();
        let body = response.bytes().await.expect("the whole answer");
        assert_eq!(status, StatusCode::OK, "GET {path}: {}", String::from_utf8_lossy(&body));
        body
    }

    /// Begins an upload of so many bytes; its address.
    pub async fn begin_upload(&self, bytes: u64) -> String {
        let request = self.request(Method::POST, "/v1/uploads").header("tus-resumable", "1.0.0").header("upload-length", bytes);
        let response = send(request).await;
        let status = response.status();
        let location = response.headers().get(header::LOCATION).map(|value| value.to_str().expect("text").to_owned());
        let body = response.text().await.expect("the whole answer");
        assert_eq!(status, StatusCode::CREATED, "POST /v1/uploads: {body}");
        location.expect("a new upload has a Location")
    }

    /// One PATCH of an upload.
    pub fn append(&self, upload: &str, offset: u64, data: impl Into<reqwest::Body>) -> RequestBuilder {
        self.request(Method::PATCH, upload)
            .header("tus-resumable", "1.0.0")
            .header("upload-offset", offset)
            .header(header::CONTENT_TYPE, "application/offset+octet-stream")
            .body(data)
    }

    /// How many bytes of an upload have arrived.
    pub async fn upload_offset(&self, upload: &str) -> u64 {
        let response = send(self.request(Method::HEAD, upload).header("tus-resumable", "1.0.0")).await;
        assert!(response.status().is_success(), "HEAD {upload}: {}", response.status());
        let offset = response.headers().get("upload-offset").expect("HEAD tells Upload-Offset");
        offset.to_str().expect("text").parse().expect("a number")
    }

    pub async fn upload_bytes(&self, data: Bytes) -> SourceId {
        let upload = self.begin_upload(data.len() as u64).await;
        if !data.is_empty() {
            let response = send(self.append(&upload, 0, data)).await;
            assert_eq!(response.status(), StatusCode::NO_CONTENT, "PATCH {upload}");
        }
        source_of(&upload)
    }

    pub async fn upload(&self, path: &Path) -> SourceId {
        let data = tokio::fs::read(path).await.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        self.upload_bytes(data.into()).await
    }

    pub async fn put_profile(&self, profile: &Profile) {
        let response = send(self.request(Method::PUT, &format!("/v1/profiles/{}", profile.name)).json(profile)).await;
        let status = response.status();
        assert!(status.is_success(), "PUT profile {}: {status} {}", profile.name, response.text().await.unwrap_or_default());
    }

    pub async fn create_job(&self, source: JobSource, profile: &str) -> Job {
        self.try_create_job(source, profile).await.unwrap_or_else(|refused| panic!("POST /v1/jobs: {refused:?}"))
    }

    pub async fn try_create_job(&self, source: JobSource, profile: &str) -> Result<Job, Refused> {
        let request = CreateJob { source, profile: profile.to_owned(), priority: 5, deadline: None, metadata: Metadata::new() };
        answer(send(self.request(Method::POST, "/v1/jobs").json(&request)).await).await
    }

    /// Uploads a file and makes a job of it.
    pub async fn submit(&self, path: &Path, profile: &str) -> Job {
        let source = self.upload(path).await;
        self.create_job(JobSource::Upload(source), profile).await
    }

    pub async fn job(&self, id: &JobId) -> Job {
        answer(send(self.request(Method::GET, &format!("/v1/jobs/{id}"))).await)
            .await
            .unwrap_or_else(|refused| panic!("GET job {id}: {refused:?}"))
    }

    /// Asks again until `is_so`; a job that takes longer than `limit`, or is over without it, is a failure.
    pub async fn wait_for(&self, id: &JobId, what: &str, limit: Duration, is_so: impl Fn(&Job) -> bool) -> Job {
        let deadline = tokio::time::Instant::now() + limit;
        loop {
            let job = self.job(id).await;
            if is_so(&job) {
                return job;
            }
            let late = tokio::time::Instant::now() > deadline;
            assert!(!late && !job.state.is_over(), "{id} is not {what}{}:\n{job:#?}", if late { " in time" } else { "" });
            tokio::time::sleep(POLL_EVERY).await;
        }
    }

    pub async fn completed(&self, id: &JobId, limit: Duration) -> Job {
        self.wait_for(id, "completed", limit, |job| job.state == JobState::Completed).await
    }

    pub async fn failed(&self, id: &JobId, limit: Duration) -> Job {
        self.wait_for(id, "failed", limit, |job| job.state == JobState::Failed).await
    }

    /// All events of a job, from its first on; waits until the job is over.
    /// Gives all machines this policy.
    pub async fn obey(&self, policy: &Policy) {
        let groups: GroupList = answer(send(self.request(Method::GET, "/v1/groups")).await).await.expect("groups");
        for group in groups.groups {
            let path = format!("/v1/policies/{}", group.id);
            let taken: Policy = answer(send(self.request(Method::PUT, &path).json(policy)).await).await.expect("it is taken");
            assert_eq!(taken, *policy);
        }
    }

    /// Waits until the only agent is in this state, with this code of a fault.
    pub async fn until_agent_is(&self, state: offpeak_api::agent::AgentState, code: Option<&str>) {
        let until = tokio::time::Instant::now() + LONGEST_REQUEST;
        loop {
            let list: offpeak_api::agent::AgentList =
                answer(send(self.request(Method::GET, "/v1/agents")).await).await.expect("a list of agents");
            let is = list.agents.first().map(|agent| (agent.state, agent.state_code.as_deref()));
            if is == Some((state, code)) {
                return;
            }
            assert!(tokio::time::Instant::now() < until, "the agent is {is:?}");
            tokio::time::sleep(POLL_EVERY).await;
        }
    }

    pub async fn events(&self, id: &JobId) -> Vec<JobEvent> {
        let mut events = Vec::new();
        self.each_event(id, |event| {
            events.push(event);
            true
        })
        .await;
        events
    }

    /// Follows a job's events until `go_on` says false or the job is over.
    pub async fn each_event(&self, id: &JobId, mut go_on: impl FnMut(JobEvent) -> bool) {
        let request = self.request(Method::GET, &format!("/v1/jobs/{id}/events"));
        let response = request.send().await.expect("the server answers");
        assert_eq!(response.status(), StatusCode::OK, "events of {id}");
        let mut chunks = response.bytes_stream();
        let mut text = String::new();
        while let Some(chunk) = chunks.next().await {
            text.push_str(std::str::from_utf8(&chunk.expect("the stream goes on")).expect("UTF-8 (our events are ASCII)"));
            while let Some((message, rest)) = text.split_once("\n\n") {
                let data: String = message.lines().filter_map(|line| line.strip_prefix("data:")).collect();
                let rest = rest.to_owned();
                if !data.is_empty() {
                    let event = serde_json::from_str(&data).unwrap_or_else(|e| panic!("event {data}: {e}"));
                    if !go_on(event) {
                        return;
                    }
                }
                text = rest;
            }
        }
    }
}

/// The source that an upload's address names.
pub fn source_of(upload: &str) -> SourceId {
    let id = upload.rsplit('/').next().unwrap_or_default();
    id.parse().unwrap_or_else(|e| panic!("{upload} names no source: {e}"))
}

pub async fn send(request: RequestBuilder) -> Response {
    tokio::time::timeout(LONGEST_REQUEST, request.send()).await.expect("the server answers in time").expect("the server answers")
}

/// The answer's JSON, or the problem that it tells.
pub async fn answer<T: DeserializeOwned>(response: Response) -> Result<T, Refused> {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = response.text().await.expect("the whole answer");
    if status.is_success() {
        return Ok(serde_json::from_str(&body).unwrap_or_else(|e| panic!("{status} {body}: {e}")));
    }
    assert!(kind.starts_with("application/problem+json"), "{status} is not told as a problem: {kind} {body}");
    let problem: Problem = serde_json::from_str(&body).unwrap_or_else(|e| panic!("{status} {body}: {e}"));
    assert_eq!(problem.status, status.as_u16(), "{body}");
    Err(Refused { status, problem })
}
