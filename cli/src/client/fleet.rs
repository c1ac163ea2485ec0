//! Agents, their groups, and figures of the fleet.

use offpeak_api::{
    agent::{Agent, AgentDetail, AgentList, ChangeAgent, ChangeStanding, ListAgents},
    fleet::{FleetFigures, FleetQuery, GroupList},
    ids::AgentId,
};
use reqwest::Method;

use super::Client;
use crate::error::CliError;

impl Client {
    pub async fn agents(&self, wanted: &ListAgents) -> Result<AgentList, CliError> {
        let ListAgents { state, standing, group, name, cursor, limit } = wanted;
        let pairs = [
            ("state", state.clone()),
            ("standing", standing.clone()),
            ("group", group.as_ref().map(ToString::to_string)),
            ("name", name.clone()),
            ("cursor", cursor.clone()),
            ("limit", limit.map(|limit| limit.to_string())),
        ];
        self.get_with("/v1/agents", pairs).await
    }

    pub async fn agent(&self, id: &AgentId) -> Result<AgentDetail, CliError> {
        self.get(&format!("/v1/agents/{id}")).await
    }

    pub async fn drain(&self, id: &AgentId, change: &ChangeStanding) -> Result<Agent, CliError> {
        let url = self.resolve(&format!("/v1/agents/{id}/drain"))?;
        self.call(self.request(Method::POST, url).json(change)).await
    }

    pub async fn set_aside(&self, id: &AgentId, change: &ChangeStanding) -> Result<Agent, CliError> {
        let url = self.resolve(&format!("/v1/agents/{id}/set-aside"))?;
        self.call(self.request(Method::POST, url).json(change)).await
    }

    pub async fn resume(&self, id: &AgentId) -> Result<Agent, CliError> {
        self.post(&format!("/v1/agents/{id}/resume")).await
    }

    pub async fn change_agent(&self, id: &AgentId, change: &ChangeAgent) -> Result<Agent, CliError> {
        let url = self.resolve(&format!("/v1/agents/{id}"))?;
        self.call(self.request(Method::PATCH, url).json(change)).await
    }

    pub async fn revoke(&self, id: &AgentId) -> Result<(), CliError> {
        let url = self.resolve(&format!("/v1/agents/{id}"))?;
        self.send(self.request(Method::DELETE, url).timeout(super::ANSWER_WITHIN)).await.map(drop)
    }

    pub async fn groups(&self) -> Result<GroupList, CliError> {
        self.get("/v1/groups").await
    }

    pub async fn fleet(&self, query: &FleetQuery) -> Result<FleetFigures, CliError> {
        let FleetQuery { within_seconds } = query;
        self.get_with("/v1/fleet", [("within_seconds", within_seconds.map(|seconds| seconds.to_string()))]).await
    }
}
