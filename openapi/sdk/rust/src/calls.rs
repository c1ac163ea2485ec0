//! Requests with the token, answers as types, refusals as errors.

use std::{net::IpAddr, time::Duration};

use offpeak_api::enrolment::Fingerprint;
use reqwest::{Method, RequestBuilder, Response};
use serde::{Serialize, de::DeserializeOwned};
use url::{Host, Url};

use crate::{
    error::{Error, refusal, root_cause},
    retry,
};

/// A small answer that takes longer than this is not coming.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// A client of one server; clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    token: Option<String>,
}

impl Client {
    /// `server` is an http or https address, and may lie below a path.
    pub fn new(server: &str, token: Option<String>) -> Result<Self, Error> {
        Self::of(server, token, None)
    }

    /// As [`Client::new`], for a server that made its certificate itself: it is believed with the certificate of this
    /// fingerprint and no other. Other hosts, such as a bucket, are believed as usual.
    pub fn pinned(server: &str, token: Option<String>, fingerprint: Fingerprint) -> Result<Self, Error> {
        Self::of(server, token, Some(fingerprint))
    }

    fn of(server: &str, token: Option<String>, fingerprint: Option<Fingerprint>) -> Result<Self, Error> {
        let wrong = |reason: String| Error::BadAddress { address: server.to_owned(), reason };
        let mut url = Url::parse(server).map_err(|e| wrong(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("it must begin with http:// or https://".to_owned()));
        }
        // `Url::join` replaces what follows the last slash.
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let mut builder = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).tcp_keepalive(Duration::from_secs(30));
        if let Some(fingerprint) = fingerprint {
            let config = offpeak_pinned::client_config(&url, fingerprint).map_err(|e| wrong(e.to_string()))?;
            builder = builder.tls_backend_preconfigured(config);
        }
        if is_loopback(&url) {
            // A proxy from the environment would look for the server on the proxy's own machine.
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|e| wrong(format!("cannot set up HTTP: {e}")))?;
        Ok(Self { http, server: url, token: token.filter(|t| !t.is_empty()) })
    }

    /// The server's address, as people write it.
    pub fn server(&self) -> &str {
        self.server.as_str().trim_end_matches('/')
    }

    /// Resolves what the API calls an address (absolute, or relative to the server's own).
    pub fn resolve(&self, address: &str) -> Result<Url, Error> {
        let joined = match address.strip_prefix('/') {
            Some(below) if !below.starts_with('/') => self.server.join(below),
            _ => self.server.join(address),
        };
        joined.map_err(|e| Error::Garbled { address: address.to_owned(), reason: e.to_string() })
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
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = request.send().await.map_err(|e| self.unreachable(&e))?;
        if response.status().is_success() { Ok(response) } else { Err(refusal(response).await) }
    }

    /// What a request that got no answer means.
    pub fn unreachable(&self, error: &reqwest::Error) -> Error {
        Error::Unreachable { server: self.server().to_owned(), reason: root_cause(error) }
    }

    /// The request of a generated operation: `path` in parts, which are escaped.
    pub(crate) fn operation(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, Error> {
        let mut url = self.server.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        Ok(self.request(method, url).timeout(ANSWER_WITHIN))
    }

    /// As [`Client::operation`], with a query; what is absent is left out.
    pub(crate) fn operation_with(&self, method: Method, path: &[&str], query: &impl Serialize) -> Result<RequestBuilder, Error> {
        let garbled = |e: serde_urlencoded::ser::Error| Error::Garbled { address: path.join("/"), reason: e.to_string() };
        let query = serde_urlencoded::to_string(query).map_err(garbled)?;
        let mut url = self.server.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
        Ok(self.request(method, url).timeout(ANSWER_WITHIN))
    }

    /// A request that makes something: repeated when no answer comes, under one key, so that nothing is made twice.
    pub(crate) async fn once(&self, request: RequestBuilder) -> Result<Response, Error> {
        let request = request.header("Idempotency-Key", retry::new_key());
        retry::patiently(async || match request.try_clone() {
            Some(request) => self.send(request).await,
            None => {
                Err(Error::Garbled { address: self.server().to_owned(), reason: "a body that cannot be repeated".to_owned() })
            }
        })
        .await
    }

    pub(crate) async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, Error> {
        let address = response.url().to_string();
        let body = response.bytes().await.map_err(|e| self.unreachable(&e))?;
        serde_json::from_slice(&body).map_err(|e| Error::Garbled { address, reason: e.to_string() })
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use reqwest::header;

    use super::*;

    #[test]
    fn addresses_resolve_below_the_servers_own() {
        for (server, address, wanted) in [
            ("http://a:7070", "/v1/jobs", "http://a:7070/v1/jobs"),
            ("http://a:7070/", "v1/jobs", "http://a:7070/v1/jobs"),
            ("https://a/farm", "/v1/jobs", "https://a/farm/v1/jobs"),
            ("https://a/farm", "https://cdn/x.mp4", "https://cdn/x.mp4"),
        ] {
            let client = Client::new(server, None).unwrap();
            assert_eq!(client.resolve(address).unwrap().as_str(), wanted);
        }
        assert!(Client::new("a:7070", None).is_err());
        assert!(Client::new("127.0.0.1:7070", None).is_err());
    }

    #[test]
    fn operations_are_addressed_below_the_servers_own_and_escaped() {
        let client = Client::new("https://a/farm", None).unwrap();
        let address = |request: RequestBuilder| request.build().unwrap().url().to_string();
        assert_eq!(
            address(client.operation(Method::GET, &["v1", "profiles", "a/b c"]).unwrap()),
            "https://a/farm/v1/profiles/a%2Fb%20c"
        );
        let query = offpeak_api::page::PageQuery { cursor: None, limit: Some(2) };
        assert_eq!(
            address(client.operation_with(Method::GET, &["v1", "jobs"], &query).unwrap()),
            "https://a/farm/v1/jobs?limit=2"
        );
        let none = offpeak_api::page::PageQuery::default();
        assert_eq!(address(client.operation_with(Method::GET, &["v1", "jobs"], &none).unwrap()), "https://a/farm/v1/jobs");
    }

    #[test]
    fn the_token_goes_to_its_own_server_only() {
        let client = Client::new("http://a:7070", Some("secret".to_owned())).unwrap();
        let sent_to = |url: &str| {
            let request = client.request(Method::GET, Url::parse(url).unwrap()).build().unwrap();
            request.headers().contains_key(header::AUTHORIZATION)
        };
        assert!(sent_to("http://a:7070/v1/jobs"));
        assert!(!sent_to("http://a:7071/v1/jobs"));
        assert!(!sent_to("https://cdn/x.mp4"));
    }
}
