//! The agent's side of the HTTP API: one typed function a call. Repeating is left to the callers; every call is safe to repeat.

use std::time::Duration;

use offpeak_api::{
    agent::{AgentOrders, ProofReport, StateReport},
    enrolment::Fingerprint,
    ids::LeaseId,
    lease::{
        CommitRequest, CompleteRequest, EnrolRequest, EnrolResponse, FailRequest, Heartbeat, Lease, LeaseRequest, Orders,
        ReleaseRequest, UploadUrls, UploadUrlsRequest,
    },
    problem::Problem,
};
use reqwest::{StatusCode, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use url::Url;

use crate::{http::Http, status::Status};

/// Calls that only touch the server's database answer within milliseconds; half a minute is a server in distress.
const CALL_LIMIT: Duration = Duration::from_secs(30);
/// A heartbeat that takes longer than the beat itself is worth less than the next one.
const HEARTBEAT_LIMIT: Duration = Duration::from_secs(10);
/// A machine that is switched off answers no SYN; one in the next room answers in milliseconds, one abroad in half a second.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Codes of the problems with which an agent is refused work.
pub const SET_ASIDE: &str = "set_aside";
pub const DRAINING: &str = "draining";
pub const SANDBOX_REQUIRED: &str = "sandbox_required";

/// Why a call brought no answer that can be worked with.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// No answer, or one from a gateway that has no server behind it: repeat later.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The server answered, but not with what the protocol says (500, a page of HTML …): repeat later, though not for ever.
    #[error("the server is in trouble: {}", .0.detail)]
    Broken(Box<Problem>),
    /// 401: the token is unknown or revoked.
    #[error("the server does not know this agent's token: {}", .0.detail)]
    Unauthorized(Box<Problem>),
    /// 409 or 404 of a call that names a lease: it is somebody else's now, or over.
    #[error("the lease is lost: {}", .0.detail)]
    Lost(Box<Problem>),
    /// 426: this engine speaks a protocol that the server has left behind.
    #[error("this engine is too old for the server: {}", .0.detail)]
    TooOld(Box<Problem>),
    /// 403 of a call for work: this agent was set aside, is drained, or is not walled off as its group wants it. When to ask
    /// again, if the server said so.
    #[error("the server gives this agent no work: {}", .problem.detail)]
    NotNow { problem: Box<Problem>, retry_after_seconds: Option<u32> },
    /// Any other 4xx: repeating the same call will not help.
    #[error("the server refused: {} ({})", .0.detail, .0.code)]
    Refused(Box<Problem>),
}

impl CallError {
    /// The server's own words, if it said any, for the middle of a sentence.
    pub fn detail(&self) -> String {
        match self {
            Self::Broken(problem)
            | Self::Unauthorized(problem)
            | Self::Lost(problem)
            | Self::TooOld(problem)
            | Self::Refused(problem) => problem.detail.trim_end_matches('.').to_owned(),
            Self::NotNow { problem, .. } => problem.detail.trim_end_matches('.').to_owned(),
            Self::Unreachable(why) => why.clone(),
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Broken(_) => true,
            Self::Unauthorized(_) | Self::Lost(_) | Self::TooOld(_) | Self::NotNow { .. } | Self::Refused(_) => false,
        }
    }
}

/// What a call names, which decides what its 404 and 409 mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Lease,
    Other,
}

/// The connection pool of the whole engine: time-outs that hold for every request, and a name to be recognised by.
///
/// With a fingerprint, the server is known by that certificate and no other; other hosts are as the system has them.
pub fn connection_pool(server: &Url, fingerprint: Option<Fingerprint>) -> Result<reqwest::Client, NoPool> {
    let builder = match fingerprint {
        Some(fingerprint) => {
            reqwest::Client::builder().tls_backend_preconfigured(offpeak_pinned::client_config(server, fingerprint)?)
        }
        None => reqwest::Client::builder(),
    };
    let builder = builder
        .connect_timeout(CONNECT_LIMIT)
        .user_agent(concat!("offpeak-agent/", env!("CARGO_PKG_VERSION")))
        // A long poll is silent for up to 30 s; without this a peer that vanished is noticed only at the next time-out.
        .tcp_keepalive(Duration::from_secs(15));
    Ok(builder.build()?)
}

/// Why nothing can be called at all.
#[derive(Debug, thiserror::Error)]
pub enum NoPool {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Pinned(#[from] offpeak_pinned::Unusable),
}

/// Uses an enrolment code up; the only call without a token.
pub async fn enrol(pool: &reqwest::Client, server: &Url, request: &EnrolRequest) -> Result<EnrolResponse, CallError> {
    let answer = send(pool.post(endpoint(server, "v1/agents/enrol")).json(request), CALL_LIMIT, Subject::Other).await?;
    answer.json()
}

/// An agent's bearer token; it does not show in logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Whether anything that can be a server answers at this address.
pub async fn check_server(pool: &reqwest::Client, server: &Url) -> Result<(), CallError> {
    send(pool.get(endpoint(server, "healthz")), HEARTBEAT_LIMIT, Subject::Other).await.map(drop)
}

/// Calls of one enrolled agent. Clones share the pool, the bandwidth cap and the status.
#[derive(Debug, Clone)]
pub struct Client {
    pub http: Http,
    pub server: Url,
    token: Token,
    status: Status,
}

impl Client {
    pub fn new(http: Http, server: Url, token: Token, status: Status) -> Self {
        Self { http, server, token, status }
    }

    /// The agent's token, for steps that talk to the server themselves.
    pub fn token(&self) -> &Token {
        &self.token
    }

    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Asks for work; `None` is 204, nothing to do.
    pub async fn ask(&self, request: &LeaseRequest) -> Result<Option<Lease>, CallError> {
        let limit = CALL_LIMIT + Duration::from_secs(u64::from(request.wait_seconds));
        let answer = self.post("v1/leases", request, limit, Subject::Other).await?;
        if answer.status == StatusCode::NO_CONTENT { Ok(None) } else { answer.json().map(Some) }
    }

    /// Says what the engine is doing.
    pub async fn report(&self, report: &StateReport) -> Result<AgentOrders, CallError> {
        self.post("v1/agents/me/state", report, HEARTBEAT_LIMIT, Subject::Other).await?.json()
    }

    /// Says what new test encodes proved, to be given work again.
    pub async fn prove(&self, proof: &ProofReport) -> Result<AgentOrders, CallError> {
        self.post("v1/agents/me/proof", proof, CALL_LIMIT, Subject::Other).await?.json()
    }

    pub async fn heartbeat(&self, lease: &LeaseId, beat: &Heartbeat) -> Result<Orders, CallError> {
        self.post(&format!("v1/leases/{lease}/heartbeat"), beat, HEARTBEAT_LIMIT, Subject::Lease).await?.json()
    }

    pub async fn upload_urls(&self, lease: &LeaseId, request: &UploadUrlsRequest) -> Result<UploadUrls, CallError> {
        self.post(&format!("v1/leases/{lease}/upload-urls"), request, CALL_LIMIT, Subject::Lease).await?.json()
    }

    pub async fn commit(&self, lease: &LeaseId, request: &CommitRequest) -> Result<Orders, CallError> {
        self.post(&format!("v1/leases/{lease}/commit"), request, CALL_LIMIT, Subject::Lease).await?.json()
    }

    pub async fn complete(&self, lease: &LeaseId, request: &CompleteRequest) -> Result<(), CallError> {
        self.post(&format!("v1/leases/{lease}/complete"), request, CALL_LIMIT, Subject::Lease).await.map(drop)
    }

    pub async fn release(&self, lease: &LeaseId, request: &ReleaseRequest) -> Result<(), CallError> {
        self.post(&format!("v1/leases/{lease}/release"), request, CALL_LIMIT, Subject::Lease).await.map(drop)
    }

    pub async fn fail(&self, lease: &LeaseId, request: &FailRequest) -> Result<(), CallError> {
        self.post(&format!("v1/leases/{lease}/fail"), request, CALL_LIMIT, Subject::Lease).await.map(drop)
    }

    /// Whether the server knows this token, without asking for work: a heartbeat for a lease that cannot exist is answered
    /// 401 to a stranger and "lost" to an agent.
    pub async fn check_token(&self) -> Result<(), CallError> {
        let beat = Heartbeat { state: offpeak_api::lease::HolderState::Encoding, reason: None, progress: Default::default() };
        match self.heartbeat(&LeaseId::new(), &beat).await {
            Ok(_) | Err(CallError::Lost(_)) => Ok(()),
            Err(other) => Err(other),
        }
    }

    async fn post<B: Serialize>(&self, path: &str, body: &B, limit: Duration, on: Subject) -> Result<Answer, CallError> {
        let request = self.http.client.post(endpoint(&self.server, path)).bearer_auth(self.token.secret()).json(body);
        let answer = send(request, limit, on).await;
        self.status.reached(!matches!(answer, Err(CallError::Unreachable(_))));
        answer
    }
}

/// The address of a call; the server may live below a path (`https://intranet/offpeak/`).
fn endpoint(server: &Url, path: &str) -> Url {
    let mut address = server.clone();
    address.set_path(&format!("{}/{path}", server.path().trim_end_matches('/')));
    address
}

/// A 2xx answer.
struct Answer {
    status: StatusCode,
    body: bytes::Bytes,
}

impl Answer {
    fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            CallError::Broken(problem(self.status, "bad_answer", format!("its answer is not what the protocol says: {error}")))
        })
    }
}

async fn send(request: reqwest::RequestBuilder, limit: Duration, on: Subject) -> Result<Answer, CallError> {
    let response = request.timeout(limit).send().await.map_err(|error| CallError::Unreachable(root_cause(&error)))?;
    let status = response.status();
    let retry_after_seconds = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let body = response.bytes().await.map_err(|error| CallError::Unreachable(root_cause(&error)))?;
    if status.is_success() { Ok(Answer { status, body }) } else { Err(refusal(status, retry_after_seconds, &body, on)) }
}

/// What a refusal of a call under a lease means, whatever its body is.
pub fn read_refusal(status: u16, body: &[u8]) -> CallError {
    refusal(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), None, body, Subject::Lease)
}

/// What an answer that is not 2xx means.
fn refusal(status: StatusCode, retry_after_seconds: Option<u32>, body: &[u8], on: Subject) -> CallError {
    let said = serde_json::from_slice::<Box<Problem>>(body)
        .unwrap_or_else(|_| problem(status, "no_problem_given", format!("the answer was {status}, without an explanation")));
    match (status, on) {
        (StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT, _) => {
            CallError::Unreachable(said.detail)
        }
        (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS, _) => CallError::Broken(said),
        (StatusCode::UNAUTHORIZED, _) => CallError::Unauthorized(said),
        (StatusCode::UPGRADE_REQUIRED, _) => CallError::TooOld(said),
        (StatusCode::CONFLICT | StatusCode::NOT_FOUND | StatusCode::GONE, Subject::Lease) => CallError::Lost(said),
        (StatusCode::FORBIDDEN, Subject::Other) if matches!(said.code.as_str(), SET_ASIDE | DRAINING | SANDBOX_REQUIRED) => {
            CallError::NotNow { problem: said, retry_after_seconds }
        }
        (status, _) if status.is_client_error() => CallError::Refused(said),
        (_, _) => CallError::Broken(said),
    }
}

fn problem(status: StatusCode, code: &str, detail: String) -> Box<Problem> {
    Box::new(Problem {
        kind: "about:blank".to_owned(),
        title: status.canonical_reason().unwrap_or("Unknown").to_owned(),
        status: status.as_u16(),
        code: code.to_owned(),
        detail,
        hint: None,
        errors: Vec::new(),
        request_id: None,
    })
}

/// reqwest's outermost message only says "error sending request for url"; the reason is innermost.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let words = cause.to_string();
    // How rustls introduces what a verifier of ours says.
    let words = words.strip_prefix("unexpected error: ").unwrap_or(&words);
    if error.is_timeout() { format!("timed out ({words})") } else { words.to_owned() }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    #[test]
    fn refusals_say_what_to_do() {
        let kind = |status: u16, on| match refusal(StatusCode::from_u16(status).unwrap(), None, b"<html>", on) {
            CallError::Unreachable(_) => "unreachable",
            CallError::Broken(_) => "broken",
            CallError::Unauthorized(_) => "unauthorized",
            CallError::Lost(_) => "lost",
            CallError::TooOld(_) => "too old",
            CallError::NotNow { .. } => "not now",
            CallError::Refused(_) => "refused",
        };
        let cases = [
            (503, Subject::Lease, "unreachable"),
            (502, Subject::Other, "unreachable"),
            (500, Subject::Lease, "broken"),
            (429, Subject::Lease, "broken"),
            (401, Subject::Lease, "unauthorized"),
            (403, Subject::Other, "refused"),
            (404, Subject::Lease, "lost"),
            (404, Subject::Other, "refused"),
            (409, Subject::Lease, "lost"),
            (409, Subject::Other, "refused"),
            (422, Subject::Lease, "refused"),
            (426, Subject::Other, "too old"),
            (301, Subject::Other, "broken"),
        ];
        for (status, on, expected) in cases {
            assert_eq!(kind(status, on), expected, "{status}");
        }
    }

    #[test]
    fn a_problem_in_the_answer_is_kept() {
        let body = br#"{"title":"Conflict","status":409,"code":"superseded","detail":"the backup was faster"}"#;
        match refusal(StatusCode::CONFLICT, None, body, Subject::Lease) {
            CallError::Lost(problem) => assert_eq!(problem.code, "superseded"),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn an_agent_without_work_is_told_until_when() {
        let body = br#"{"title":"Forbidden","status":403,"code":"set_aside","detail":"It failed too often."}"#;
        match refusal(StatusCode::FORBIDDEN, Some(90), body, Subject::Other) {
            CallError::NotNow { problem, retry_after_seconds } => {
                assert_eq!((problem.code.as_str(), retry_after_seconds), (SET_ASIDE, Some(90)));
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn addresses_keep_the_path_that_the_server_lives_under() {
        for (server, expected) in [
            ("http://127.0.0.1:7070", "http://127.0.0.1:7070/v1/leases"),
            ("https://intranet/offpeak/", "https://intranet/offpeak/v1/leases"),
        ] {
            assert_eq!(endpoint(&server.parse().unwrap(), "v1/leases").as_str(), expected);
        }
    }
}
