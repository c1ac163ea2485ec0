//! The API as functions: requests with the token, answers as types, problems as errors.

mod access;
mod fleet;
mod webhooks;

use std::{net::IpAddr, time::Duration};

use offpeak_api::{
    enrolment::Fingerprint,
    ids::{JobId, SourceId},
    job::{CreateJob, Job, JobList, ListJobs, Source},
    problem::Problem,
    profile::{ProfileEntry, ProfileList},
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use url::{Host, Url};

use crate::error::CliError;

/// A small answer that takes longer than this is not coming.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    token: Option<String>,
}

impl Client {
    pub fn new(server: &str, token: Option<String>, fingerprint: Option<Fingerprint>) -> Result<Self, CliError> {
        let wrong = |reason: String| CliError::Usage(format!("the server address `{server}` is wrong: {reason}"));
        let mut server = Url::parse(server).map_err(|e| wrong(e.to_string()))?;
        if !matches!(server.scheme(), "http" | "https") {
            return Err(wrong("it must begin with http:// or https://".to_owned()));
        }
        // `Url::join` replaces what follows the last slash, and a server may live below a path.
        if !server.path().ends_with('/') {
            server.set_path(&format!("{}/", server.path()));
        }
        let mut builder = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).tcp_keepalive(Duration::from_secs(30));
        if let Some(fingerprint) = fingerprint {
            let config = offpeak_pinned::client_config(&server, fingerprint).map_err(|e| CliError::Usage(e.to_string()))?;
            builder = builder.tls_backend_preconfigured(config);
        }
        if is_loopback(&server) {
            // A proxy from the environment would look for the server on the proxy's own machine.
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|e| CliError::Usage(format!("cannot set up HTTP: {e}")))?;
        Ok(Self { http, server, token: token.filter(|t| !t.is_empty()) })
    }

    /// The server's address, as people write it.
    pub fn server(&self) -> &str {
        self.server.as_str().trim_end_matches('/')
    }

    /// Resolves what the API calls an address (absolute, or relative to the server's own).
    pub fn resolve(&self, address: &str) -> Result<Url, CliError> {
        let joined = match address.strip_prefix('/') {
            Some(below) if !below.starts_with('/') => self.server.join(below),
            _ => self.server.join(address),
        };
        joined.map_err(|e| CliError::Garbled { address: address.to_owned(), reason: e.to_string() })
    }

    /// A request that carries the token only to the server it belongs to.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let ours = url.origin() == self.server.origin();
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) if ours => request.bearer_auth(token),
            _ => request,
        }
    }

    /// Sends, and makes a refusal an error.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, CliError> {
        let response = request.send().await.map_err(|e| self.unreachable(&e))?;
        if response.status().is_success() { Ok(response) } else { Err(refusal(response).await) }
    }

    pub fn unreachable(&self, error: &reqwest::Error) -> CliError {
        CliError::Unreachable { server: self.server().to_owned(), reason: root_cause(error) }
    }

    async fn call<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, CliError> {
        let response = self.send(request.timeout(ANSWER_WITHIN)).await?;
        let address = response.url().to_string();
        let body = response.bytes().await.map_err(|e| self.unreachable(&e))?;
        serde_json::from_slice(&body).map_err(|e| CliError::Garbled { address, reason: e.to_string() })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        let url = self.resolve(path)?;
        self.call(self.request(Method::GET, url)).await
    }

    async fn get_with<T: DeserializeOwned>(
        &self,
        path: &str,
        query: impl IntoIterator<Item = (&'static str, Option<String>)>,
    ) -> Result<T, CliError> {
        let mut url = self.resolve(path)?;
        let given: Vec<_> = query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        if !given.is_empty() {
            url.query_pairs_mut().extend_pairs(given);
        }
        self.call(self.request(Method::GET, url)).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        let url = self.resolve(path)?;
        self.call(self.request(Method::POST, url)).await
    }

    pub async fn create_job(&self, job: &CreateJob) -> Result<Job, CliError> {
        let url = self.resolve("/v1/jobs")?;
        self.call(self.request(Method::POST, url).json(job)).await
    }

    pub async fn job(&self, id: &JobId) -> Result<Job, CliError> {
        self.get(&format!("/v1/jobs/{id}")).await
    }

    pub async fn jobs(&self, wanted: &ListJobs) -> Result<JobList, CliError> {
        let ListJobs { state, profile, source, cursor, limit } = wanted;
        let pairs = [
            ("state", state.clone()),
            ("profile", profile.clone()),
            ("source", source.as_ref().map(ToString::to_string)),
            ("cursor", cursor.clone()),
            ("limit", limit.map(|limit| limit.to_string())),
        ];
        self.get_with("/v1/jobs", pairs).await
    }

    pub async fn cancel(&self, id: &JobId) -> Result<Job, CliError> {
        self.post(&format!("/v1/jobs/{id}/cancel")).await
    }

    pub async fn retry(&self, id: &JobId) -> Result<Job, CliError> {
        self.post(&format!("/v1/jobs/{id}/retry")).await
    }

    pub async fn source(&self, id: &SourceId) -> Result<Source, CliError> {
        self.get(&format!("/v1/sources/{id}")).await
    }

    pub async fn profiles(&self) -> Result<ProfileList, CliError> {
        self.get("/v1/profiles").await
    }

    pub async fn profile(&self, name: &str) -> Result<ProfileEntry, CliError> {
        let mut url = self.resolve("/v1/profiles")?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(name);
        }
        self.call(self.request(Method::GET, url)).await
    }

    /// Opens the job's stream of events; it stays open for as long as the job runs.
    pub async fn events(&self, id: &JobId) -> Result<Response, CliError> {
        let url = self.resolve(&format!("/v1/jobs/{id}/events"))?;
        self.send(self.request(Method::GET, url).header(header::ACCEPT, "text/event-stream")).await
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

/// The innermost reason: "Connection refused" helps more than "error sending request".
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let words = cause.to_string();
    // How rustls introduces what a verifier of ours says.
    let words = words.strip_prefix("unexpected error: ").unwrap_or(&words);
    if error.is_timeout() { format!("no answer in time ({words})") } else { words.to_owned() }
}

/// Turns an answer that is not a success into an error, whoever made it.
async fn refusal(response: Response) -> CliError {
    let status = response.status();
    let address = response.url().to_string();
    let body = response.bytes().await.unwrap_or_default();
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => CliError::Refused(Box::new(problem)),
        Err(_) => CliError::Refused(Box::new(foreign_problem(status, &address, &body))),
    }
}

/// A refusal by something that does not speak RFC 9457, such as a proxy in between.
fn foreign_problem(status: StatusCode, address: &str, body: &[u8]) -> Problem {
    let title = status.canonical_reason().unwrap_or("Refused").to_owned();
    let body = String::from_utf8_lossy(body);
    let first_line = body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let excerpt: String = first_line.chars().take(200).collect();
    let detail = match (excerpt.is_empty(), excerpt.starts_with('<')) {
        (false, false) => format!("{address} answered {}: {excerpt}", status.as_u16()),
        _ => format!("{address} answered {} {title}", status.as_u16()),
    };
    Problem {
        kind: "about:blank".to_owned(),
        title,
        status: status.as_u16(),
        code: format!("http_{}", status.as_u16()),
        detail,
        hint: None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn addresses_resolve_below_the_servers_own() {
        for (server, address, wanted) in [
            ("http://a:7070", "/v1/jobs", "http://a:7070/v1/jobs"),
            ("http://a:7070/", "v1/jobs", "http://a:7070/v1/jobs"),
            ("https://a/farm", "/v1/jobs", "https://a/farm/v1/jobs"),
            ("https://a/farm", "https://cdn/x.mp4", "https://cdn/x.mp4"),
        ] {
            let client = Client::new(server, None, None).unwrap();
            assert_eq!(client.resolve(address).unwrap().as_str(), wanted);
        }
        assert!(Client::new("a:7070", None, None).is_err());
        assert!(Client::new("127.0.0.1:7070", None, None).is_err());
    }

    #[test]
    fn the_token_goes_to_its_own_server_only() {
        let client = Client::new("http://a:7070", Some("secret".to_owned()), None).unwrap();
        let sent_to = |url: &str| {
            let request = client.request(Method::GET, Url::parse(url).unwrap()).build().unwrap();
            request.headers().contains_key(header::AUTHORIZATION)
        };
        assert!(sent_to("http://a:7070/v1/jobs"));
        assert!(!sent_to("http://a:7071/v1/jobs"));
        assert!(!sent_to("https://cdn/x.mp4"));
    }
}
