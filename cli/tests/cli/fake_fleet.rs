//! The fake server's agents, groups and figures.

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use chrono::{DateTime, Utc};
use offpeak_api::{
    agent::{Agent, AgentDetail, AgentList, AgentState, ListAgents, Standing},
    fleet::{FleetFigures, FleetQuery, Group, GroupList},
    ids::{AgentId, GroupId},
    policy::Policy,
};

use crate::fake::{Fake, problem};

#[derive(Debug, Default)]
pub struct FleetWorld {
    pub agents: Vec<Agent>,
    pub groups: Vec<Group>,
    pub figures: Option<FleetFigures>,
    /// Every list that was asked for.
    pub lists: Vec<ListAgents>,
    /// Every change: what was done to which path, with which body.
    pub changes: Vec<String>,
    pub within_seconds: Option<u32>,
}

impl FleetWorld {
    pub fn group(&mut self, name: &str) -> GroupId {
        let id = GroupId::new();
        self.groups.push(Group {
            id: id.clone(),
            name: name.to_owned(),
            is_default: self.groups.is_empty(),
            agents: 0,
            policy: Policy::default(),
            created_at: DateTime::<Utc>::UNIX_EPOCH,
        });
        id
    }

    pub fn agent(&mut self, name: &str, state: AgentState, group: &GroupId) -> Agent {
        let agent = Agent {
            id: AgentId::new(),
            name: name.to_owned(),
            group: group.clone(),
            state,
            state_code: None,
            state_reason: None,
            state_since: DateTime::<Utc>::UNIX_EPOCH,
            standing: Standing::Active,
            standing_reason: None,
            set_aside_by: None,
            last_seen_at: None,
            working: false,
            frames_per_second: 0.0,
            real_time_speed: 0.0,
            capabilities: None,
        };
        self.agents.push(agent.clone());
        agent
    }
}

pub fn routes() -> Router<Fake> {
    Router::new()
        .route("/v1/agents", get(list))
        .route("/v1/agents/{id}", get(agent).patch(change).delete(change))
        .route("/v1/agents/{id}/{verb}", axum::routing::post(change))
        .route(
            "/v1/groups",
            get(async |State(fake): State<Fake>| {
                Json(GroupList { groups: fake.world().fleet.groups.clone(), next_cursor: None })
            }),
        )
        .route("/v1/fleet", get(figures))
}

/// Two a page at most, so that pages must be followed.
async fn list(State(fake): State<Fake>, Query(query): Query<ListAgents>) -> Json<AgentList> {
    let mut world = fake.world();
    let part = query.name.clone().unwrap_or_default().to_lowercase();
    let fits = |agent: &&Agent| agent.name.to_lowercase().contains(&part) && agent.standing != Standing::Revoked;
    let from: usize = query.cursor.as_ref().map_or(0, |cursor| cursor.parse().unwrap());
    let all: Vec<Agent> = world.fleet.agents.iter().filter(fits).cloned().collect();
    let until = all.len().min(from + query.limit.unwrap().min(2) as usize);
    world.fleet.lists.push(query);
    Json(AgentList { agents: all[from..until].to_vec(), next_cursor: (until < all.len()).then(|| until.to_string()) })
}

fn none_such() -> Response {
    problem(StatusCode::NOT_FOUND, "agent_not_found", "There is no such agent.", None)
}

async fn agent(State(fake): State<Fake>, Path(id): Path<AgentId>) -> Response {
    match fake.world().fleet.agents.iter().find(|agent| agent.id == id) {
        None => none_such(),
        Some(agent) => Json(AgentDetail {
            agent: agent.clone(),
            enrolled_at: DateTime::<Utc>::UNIX_EPOCH,
            jobs_failed_in_a_row: 0,
            prove_after_seconds: None,
            leases: Vec::new(),
            failures: Vec::new(),
            events: Vec::new(),
        })
        .into_response(),
    }
}

/// Anything that is done to an agent; those called "stubborn" refuse.
async fn change(State(fake): State<Fake>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 10_000).await.unwrap();
    let path = parts.uri.path().trim_start_matches("/v1/agents/").to_owned();
    let (id, verb) = path.split_once('/').unwrap_or((&path, ""));
    let mut world = fake.world();
    let Some(agent) = world.fleet.agents.iter_mut().find(|agent| agent.id.as_str() == id) else { return none_such() };
    if agent.name == "stubborn" {
        return problem(StatusCode::CONFLICT, "agent_revoked", "The agent was revoked.", None);
    }
    agent.standing = match (&parts.method, verb) {
        (&Method::DELETE, "") => Standing::Revoked,
        (&Method::PATCH, "") => agent.standing,
        (&Method::POST, "drain") => Standing::Draining,
        (&Method::POST, "set-aside") => Standing::SetAside,
        (&Method::POST, "resume") => Standing::Active,
        other => panic!("{other:?}"),
    };
    let answer = agent.clone();
    let told = format!("{} {} {verb} {}", parts.method, answer.name, String::from_utf8(body.to_vec()).unwrap());
    world.fleet.changes.push(told.trim().to_owned());
    if parts.method == Method::DELETE { StatusCode::NO_CONTENT.into_response() } else { Json(answer).into_response() }
}

async fn figures(State(fake): State<Fake>, Query(query): Query<FleetQuery>) -> Json<FleetFigures> {
    let mut world = fake.world();
    world.fleet.within_seconds = query.within_seconds;
    Json(world.fleet.figures.clone().unwrap())
}
