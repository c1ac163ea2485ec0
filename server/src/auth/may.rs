//! Who may call a route, as the type of a handler's argument. There is no way to a team's id but through one of these.

use std::{marker::PhantomData, ops::Deref};

use axum::{extract::FromRequestParts, http::request::Parts};
use offpeak_api::{access::Scope, ids::TeamId};

use super::{
    Caller, Identity, TeamAuth, Who, authenticate,
    person::{self, PersonAuth},
    wrong_kind,
};
use crate::{app::App, error::ApiError};

/// What a route asks for.
pub trait Need: Send + Sync + 'static {
    /// One of these is enough. The description of the API says the same of the route, and a test compares the two.
    const ANY_OF: &'static [Scope];
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident = [$($scope:ident),+];)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Need for $name {
            const ANY_OF: &'static [Scope] = &[$(Scope::$scope),+];
        }
    )+};
}

needs! {
    JobsRead = [JobsRead];
    JobsWrite = [JobsWrite];
    UploadsWrite = [UploadsWrite];
    /// A source, for those who read its jobs and for those who sent it.
    SourcesRead = [JobsRead, UploadsWrite];
    AgentsRead = [AgentsRead];
    AgentsWrite = [AgentsWrite];
    /// Figures without names: how busy the farm is concerns everybody who waits for it.
    FleetRead = [JobsRead, AgentsRead];
    WebhooksRead = [WebhooksRead];
    WebhooksWrite = [WebhooksWrite];
    TokensWrite = [TokensWrite];
    /// The names of one's own teams.
    TeamsRead = [JobsRead, AgentsRead, TokensWrite];
    Admin = [Admin];
}

/// A program or a person that may do this in a team, which it is then about.
#[derive(Debug, Clone)]
pub struct May<N>(TeamAuth, PhantomData<N>);

impl<N> May<N> {
    /// Without what it was asked for.
    pub fn team(self) -> TeamAuth {
        self.0
    }
}

impl<N> Deref for May<N> {
    type Target = TeamAuth;

    fn deref(&self) -> &TeamAuth {
        &self.0
    }
}

impl<N: Need> FromRequestParts<App> for May<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let auth = match authenticate(parts, app).await? {
            Identity::Program(auth) => person::program_in_team(auth, parts, app).await?,
            Identity::Person(person) => person::in_team(&person, parts, app).await?,
            Identity::Agent(_) => return Err(agent_instead()),
        };
        auth.scopes.need(N::ANY_OF)?;
        Ok(Self(auth, PhantomData))
    }
}

/// A program or a person that may do this, whatever its team: agents and their groups belong to the whole farm. The team here
/// is the one that they are filed under, which is not the caller's.
#[derive(Debug, Clone)]
pub struct OnFarm<N>(TeamAuth, PhantomData<N>);

impl<N> Deref for OnFarm<N> {
    type Target = TeamAuth;

    fn deref(&self) -> &TeamAuth {
        &self.0
    }
}

impl<N: Need> FromRequestParts<App> for OnFarm<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let auth = match authenticate(parts, app).await? {
            Identity::Program(auth) => TeamAuth { team_id: app.farm.clone(), ..auth },
            Identity::Person(person) => TeamAuth {
                team_id: app.farm.clone(),
                scopes: person.scopes_anywhere(),
                by: Who::Person { id: person.person_id, role: person.role },
            },
            Identity::Agent(_) => return Err(agent_instead()),
        };
        auth.scopes.need(N::ANY_OF)?;
        Ok(Self(auth, PhantomData))
    }
}

/// As [`May`], or an agent: for what both may do.
#[derive(Debug, Clone)]
pub struct OrAgent<N>(Caller, PhantomData<N>);

impl<N> OrAgent<N> {
    pub fn caller(self) -> Caller {
        self.0
    }
}

impl<N: Need> FromRequestParts<App> for OrAgent<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = match authenticate(parts, app).await? {
            Identity::Program(auth) => Caller::Team(person::program_in_team(auth, parts, app).await?),
            Identity::Person(person) => Caller::Team(person::in_team(&person, parts, app).await?),
            Identity::Agent(agent) => Caller::Agent(agent),
        };
        if let Caller::Team(auth) = &caller {
            auth.scopes.need(N::ANY_OF)?;
        }
        Ok(Self(caller, PhantomData))
    }
}

/// Whether the caller of this request could make it again now, for the same team: what goes on after its answer has begun asks
/// now and then, so that who is out is out.
pub async fn still<N: Need>(parts: &Parts, app: &App, team: &TeamId) -> bool {
    May::<N>::from_request_parts(&mut parts.clone(), app).await.is_ok_and(|auth| auth.team_id == *team)
}

/// For which team a request with an `Idempotency-Key` is made, and what its caller may do there; nothing for agents and for
/// whoever is refused. What is about the farm and names no team is the farm's.
pub async fn team_of(parts: &Parts, app: &App) -> Option<TeamAuth> {
    match authenticate(parts, app).await.ok()? {
        Identity::Program(auth) => person::program_in_team(auth, parts, app).await.ok(),
        Identity::Person(person) => Some(person::in_team(&person, parts, app).await.unwrap_or_else(|_| TeamAuth {
            team_id: app.farm.clone(),
            scopes: person.scopes_anywhere(),
            by: Who::Person { id: person.person_id, role: person.role },
        })),
        Identity::Agent(_) => None,
    }
}

impl FromRequestParts<App> for PersonAuth {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match authenticate(parts, app).await? {
            Identity::Person(person) => Ok(person),
            Identity::Program(_) => Err(wrong_kind("This is a program's token; this call is for people who are logged in.")),
            Identity::Agent(_) => Err(wrong_kind("This is an agent's token; this call is for people who are logged in.")),
        }
    }
}

fn agent_instead() -> ApiError {
    wrong_kind("This is an agent's token; programs use one of their own.")
}
