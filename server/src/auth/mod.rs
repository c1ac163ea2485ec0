//! Who is calling, and what they may do: a bearer token becomes a program or an agent, a session's cookie a person, as an
//! argument of the handler. `may.rs` has the arguments that a route of programs and people chooses from.
//!
//! A token is `ofp_` and 160 random bits in base 32; the database keeps its SHA-256 only.

pub mod known;
pub mod may;
pub mod person;
pub mod scopes;
pub mod store;

use std::time::Duration;

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts},
};
use offpeak_api::{
    ids::{AgentId, PersonId, TeamId, TokenId},
    people::Role,
};
use sha2::{Digest, Sha256};

use crate::{
    agents::standing::{self, AgentStanding, StandingNow},
    app::App,
    clock::Instant,
    error::ApiError,
};
use person::PersonAuth;
use scopes::Scopes;

/// A program or a person that acts for a team. Handlers get it by an argument that says what for (`may.rs`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamAuth {
    pub team_id: TeamId,
    pub scopes: Scopes,
    pub by: Who,
}

/// Whom an action is put down to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Token {
        id: TokenId,
        /// The token's own.
        team: TeamId,
        last_used_at: Option<Instant>,
    },
    Person {
        id: PersonId,
        role: Role,
    },
}

/// An enrolled agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentAuth {
    pub agent_id: AgentId,
    pub team_id: TeamId,
    pub standing: StandingNow,
    /// It failed something since a task of its last succeeded.
    pub has_failed: bool,
    /// The processes that asked for work under its name last, as they call themselves.
    pub instances: String,
}

/// An agent that calls under a lease. Whether it holds that lease its row says, so who the agent is may be known for a moment
/// without asking (`known.rs`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderAuth(pub AgentAuth);

/// An agent that asks for work. One in good standing may be known for a moment without asking: a claim looks at its standing
/// itself. Whoever was drained or set aside is asked for anew, to be told so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskerAuth(pub AgentAuth);

/// Either of the two, for what both may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    Team(TeamAuth),
    Agent(AgentAuth),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TokenKind {
    /// Submits and manages jobs for its team
    Program,
    /// Leases work
    Agent,
    /// Enrols agents: a code, good for a few uses
    #[value(skip)]
    Enrol,
}

impl TokenKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Agent => "agent",
            Self::Enrol => "enrol",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Program => "ofp_",
            Self::Agent => "ofa_",
            Self::Enrol => "ofe_",
        }
    }
}

/// How long an enrolment code is good for unless told otherwise.
pub const ENROL_CODE_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// A new secret of this kind.
pub fn new_secret(kind: TokenKind) -> String {
    format!("{}{}", kind.prefix(), random_name(32))
}

/// `length` random characters of 5 bits each, fit for addresses and file names.
pub fn random_name(length: usize) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bytes: Vec<u8> = (0..length).map(|_| ALPHABET[usize::from(rand::random::<u8>() & 31)]).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What the database keeps of a secret.
pub fn hash_secret(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whoever is calling.
enum Identity {
    Program(TeamAuth),
    Agent(AgentAuth),
    Person(PersonAuth),
}

fn unauthorized(code: &'static str, detail: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, code, detail)
        .hint("Log in, or send `Authorization: Bearer TOKEN`; `offpeak-server token create` makes a token.")
}

/// The hash of the token that comes with a request.
fn token_hash(parts: &Parts) -> Result<String, ApiError> {
    let header =
        parts.headers.get(header::AUTHORIZATION).ok_or_else(|| unauthorized("no_token", "This request needs a bearer token."))?;
    let secret = header
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| secret.trim())
        .ok_or_else(|| unauthorized("bad_token", "The Authorization header is not a bearer token."))?;
    Ok(hash_secret(secret))
}

/// A token if there is one, else a session.
async fn authenticate(parts: &Parts, app: &App) -> Result<Identity, ApiError> {
    if !parts.headers.contains_key(header::AUTHORIZATION)
        && let Some(secret) = person::secret_of(&parts.headers, &app.config.public_url)
    {
        return Ok(Identity::Person(person::find(parts, app, secret).await?));
    }
    let now = app.clock.now();
    let caller = store::find_caller(&app.db.reader, &token_hash(parts)?, now)
        .await?
        .ok_or_else(|| unauthorized("bad_token", "This token is not known, or no longer valid."))?;
    match caller {
        Caller::Agent(agent) if agent.standing.standing == AgentStanding::Revoked => Err(standing::revoked()),
        Caller::Agent(agent) => Ok(Identity::Agent(agent)),
        Caller::Team(auth) => {
            note_use(app, &auth.by, now);
            Ok(Identity::Program(auth))
        }
    }
}

/// A minute is near enough to see which tokens nobody needs any more, and costs next to nothing.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);

/// Beside the request, which does not wait for it.
fn note_use(app: &App, by: &Who, now: Instant) {
    let Who::Token { id, last_used_at, .. } = by else { return };
    if last_used_at.is_some_and(|last| now.since(last) < USE_NOTED_EVERY) {
        return;
    }
    let (app, id) = (app.clone(), id.clone());
    tokio::spawn(async move {
        if let Err(error) = store::note_use(&app.db, &id, now).await {
            tracing::warn!(token.id = %id, %error, "the use of a token was not noted");
        }
    });
}

impl FromRequestParts<App> for HolderAuth {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        known_agent(parts, app, |_| true).await.map(Self)
    }
}

impl FromRequestParts<App> for AskerAuth {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        known_agent(parts, app, |agent| agent.standing.standing == AgentStanding::Active).await.map(Self)
    }
}

/// The agent as it was known a moment ago, if that will do; else as the database has it.
async fn known_agent(parts: &mut Parts, app: &App, will_do: fn(&AgentAuth) -> bool) -> Result<AgentAuth, ApiError> {
    let hash = token_hash(parts)?;
    if let Some(agent) = app.known_agents.find(&hash).filter(will_do) {
        return Ok(agent);
    }
    // In a box: what is left of the request may wait for long, and would keep the room for this.
    let agent = Box::pin(AgentAuth::from_request_parts(parts, app)).await?;
    app.known_agents.keep(hash, agent.clone());
    Ok(agent)
}

impl FromRequestParts<App> for AgentAuth {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match authenticate(parts, app).await? {
            Identity::Agent(agent) => Ok(agent),
            Identity::Program(_) => Err(wrong_kind("This is a program's token; agents enrol and get one of their own.")),
            Identity::Person(_) => Err(wrong_kind("This call is for agents, which enrol and get a token of their own.")),
        }
    }
}

fn wrong_kind(detail: &str) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "wrong_kind_of_token", detail)
}
