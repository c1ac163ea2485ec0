//! Generated from openapi/openapi.json by `make openapi`; do not edit.

use reqwest::Method;

use crate::{calls::Client, error::Error};

impl Client {
    /// List agents
    ///
    /// Youngest first, in pages. Revoked ones are left out unless `standing` asks for them.
    pub async fn list_agents(&self, query: &offpeak_api::agent::ListAgents) -> Result<offpeak_api::agent::AgentList, Error> {
        let response = self.send(self.operation_with(Method::GET, &["v1", "agents"], query)?).await?;
        self.read(response).await
    }

    /// Revoke an agent
    ///
    /// For good: its token is good for nothing any more, and what it holds is taken away at once. It can still be read, for what
    /// jobs say of it. The machine comes back only by enrolling again.
    pub async fn revoke_agent(&self, id: &offpeak_api::ids::AgentId) -> Result<(), Error> {
        let response = self.send(self.operation(Method::DELETE, &["v1", "agents", id.as_str()])?).await?;
        drop(response);
        Ok(())
    }

    /// Read an agent
    ///
    /// With what it holds, what it failed lately, and what happened to it.
    pub async fn get_agent(&self, id: &offpeak_api::ids::AgentId) -> Result<offpeak_api::agent::AgentDetail, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "agents", id.as_str()])?).await?;
        self.read(response).await
    }

    /// Rename an agent, or move it to another group
    pub async fn change_agent(
        &self,
        id: &offpeak_api::ids::AgentId,
        body: &offpeak_api::agent::ChangeAgent,
    ) -> Result<offpeak_api::agent::Agent, Error> {
        let response = self.send(self.operation(Method::PATCH, &["v1", "agents", id.as_str()])?.json(body)).await?;
        self.read(response).await
    }

    /// Drain an agent
    ///
    /// It ends what it holds and gets nothing more, until somebody resumes it.
    pub async fn drain_agent(
        &self,
        id: &offpeak_api::ids::AgentId,
        body: &offpeak_api::agent::ChangeStanding,
    ) -> Result<offpeak_api::agent::Agent, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "agents", id.as_str(), "drain"])?.json(body)).await?;
        self.read(response).await
    }

    /// Read an agent's history
    ///
    /// How long it was in which state, hour by hour, as far back as 31 days.
    pub async fn get_agent_history(
        &self,
        id: &offpeak_api::ids::AgentId,
        query: &offpeak_api::agent::HistoryRange,
    ) -> Result<offpeak_api::agent::AgentHistory, Error> {
        let response = self.send(self.operation_with(Method::GET, &["v1", "agents", id.as_str(), "history"], query)?).await?;
        self.read(response).await
    }

    /// Resume an agent
    ///
    /// One that was drained or set aside, by a person or by its failures, gets work again.
    pub async fn resume_agent(&self, id: &offpeak_api::ids::AgentId) -> Result<offpeak_api::agent::Agent, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "agents", id.as_str(), "resume"])?).await?;
        self.read(response).await
    }

    /// Set an agent aside
    ///
    /// What it holds is taken away at once, and it gets nothing more, until somebody resumes it.
    pub async fn set_agent_aside(
        &self,
        id: &offpeak_api::ids::AgentId,
        body: &offpeak_api::agent::ChangeStanding,
    ) -> Result<offpeak_api::agent::Agent, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "agents", id.as_str(), "set-aside"])?.json(body)).await?;
        self.read(response).await
    }

    /// List enrolment codes
    ///
    /// Those that can still be used, without the codes themselves.
    pub async fn list_enrolment_codes(&self) -> Result<offpeak_api::access::EnrolmentCodeList, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "enrolment-codes"])?).await?;
        self.read(response).await
    }

    /// Make an enrolment code
    ///
    /// With a number of uses and an end. Machines that enrol with it join the group that it names. It is told this once, alone and as
    /// the link that machines take.
    pub async fn create_enrolment_code(
        &self,
        body: &offpeak_api::access::CreateEnrolmentCode,
    ) -> Result<offpeak_api::access::CreatedEnrolmentCode, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "enrolment-codes"])?.json(body)).await?;
        self.read(response).await
    }

    /// Revoke an enrolment code
    ///
    /// Machines that enrolled with it stay.
    pub async fn revoke_enrolment_code(&self, id: &offpeak_api::ids::TokenId) -> Result<(), Error> {
        let response = self.send(self.operation(Method::DELETE, &["v1", "enrolment-codes", id.as_str()])?).await?;
        drop(response);
        Ok(())
    }

    /// Read the fleet's figures
    ///
    /// Machines by state, speed, what waits, and for an autoscaler how many machines are wanted.
    pub async fn get_fleet(&self, query: &offpeak_api::fleet::FleetQuery) -> Result<offpeak_api::fleet::FleetFigures, Error> {
        let response = self.send(self.operation_with(Method::GET, &["v1", "fleet"], query)?).await?;
        self.read(response).await
    }

    /// Read the cloud's price
    ///
    /// With which the farm is compared: of a minute of one video rendition. A usual price until an administrator sets one.
    pub async fn get_cloud_price(&self) -> Result<offpeak_api::figures::CloudPrice, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "fleet", "cloud-price"])?).await?;
        self.read(response).await
    }

    /// Set the cloud's price
    pub async fn put_cloud_price(
        &self,
        body: &offpeak_api::figures::CloudPrice,
    ) -> Result<offpeak_api::figures::CloudPrice, Error> {
        let response = self.send(self.operation(Method::PUT, &["v1", "fleet", "cloud-price"])?.json(body)).await?;
        self.read(response).await
    }

    /// Read the fleet's history
    ///
    /// A sample a minute, kept for 31 days; of a range longer than a day, as many as a day has minutes.
    pub async fn get_fleet_history(
        &self,
        query: &offpeak_api::agent::HistoryRange,
    ) -> Result<offpeak_api::fleet::FleetHistory, Error> {
        let response = self.send(self.operation_with(Method::GET, &["v1", "fleet", "history"], query)?).await?;
        self.read(response).await
    }

    /// List groups
    ///
    /// In pages.
    pub async fn list_groups(&self, query: &offpeak_api::page::PageQuery) -> Result<offpeak_api::fleet::GroupList, Error> {
        let response = self.send(self.operation_with(Method::GET, &["v1", "groups"], query)?).await?;
        self.read(response).await
    }

    /// Make a group
    ///
    /// With the default policy; PUT /v1/policies/{group} changes that, and PATCH /v1/agents/{id} moves agents into it.
    pub async fn create_group(&self, body: &offpeak_api::fleet::NameGroup) -> Result<offpeak_api::fleet::Group, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "groups"])?.json(body)).await?;
        self.read(response).await
    }

    /// Delete a group
    ///
    /// Its agents go to the default group, which itself cannot be deleted.
    pub async fn delete_group(&self, id: &offpeak_api::ids::GroupId) -> Result<(), Error> {
        let response = self.send(self.operation(Method::DELETE, &["v1", "groups", id.as_str()])?).await?;
        drop(response);
        Ok(())
    }

    /// Read a group
    pub async fn get_group(&self, id: &offpeak_api::ids::GroupId) -> Result<offpeak_api::fleet::Group, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "groups", id.as_str()])?).await?;
        self.read(response).await
    }

    /// Rename a group
    pub async fn rename_group(
        &self,
        id: &offpeak_api::ids::GroupId,
        body: &offpeak_api::fleet::NameGroup,
    ) -> Result<offpeak_api::fleet::Group, Error> {
        let response = self.send(self.operation(Method::PATCH, &["v1", "groups", id.as_str()])?.json(body)).await?;
        self.read(response).await
    }

    /// List invitations
    ///
    /// Those that can still be used, without their links.
    pub async fn list_invitations(&self) -> Result<offpeak_api::people::InvitationList, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "invitations"])?).await?;
        self.read(response).await
    }

    /// Invite a person
    ///
    /// Makes a link, good once and for a week, which is told this once: send it to them. An earlier one for the same email is good
    /// for nothing any more.
    pub async fn invite(&self, body: &offpeak_api::people::Invite) -> Result<offpeak_api::people::CreatedLink, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "invitations"])?.json(body)).await?;
        self.read(response).await
    }

    /// Take an invitation back
    pub async fn delete_invitation(&self, id: &offpeak_api::ids::InvitationId) -> Result<(), Error> {
        let response = self.send(self.operation(Method::DELETE, &["v1", "invitations", id.as_str()])?).await?;
        drop(response);
        Ok(())
    }

    /// List jobs
    ///
    /// Youngest first, in pages.
    pub async fn list_jobs(&self, query: &offpeak_api::job::ListJobs) -> Result<offpeak_api::job::JobList, Error> {
        let response = self.send(self.operation_with(Method::GET, &["v1", "jobs"], query)?).await?;
        self.read(response).await
    }

    /// Make a job
    ///
    /// One source through one profile. The source is a finished upload, or a URL to fetch from.
    pub async fn create_job(&self, body: &offpeak_api::job::CreateJob) -> Result<offpeak_api::job::Job, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "jobs"])?.json(body)).await?;
        self.read(response).await
    }

    /// Read figures over jobs
    ///
    /// How many of the team's jobs are under way, how many ended within a range, and how much film they made.
    pub async fn get_job_figures(
        &self,
        query: &offpeak_api::agent::HistoryRange,
    ) -> Result<offpeak_api::figures::JobFigures, Error> {
        let response = self.send(self.operation_with(Method::GET, &["v1", "jobs", "figures"], query)?).await?;
        self.read(response).await
    }

    /// Delete a job
    ///
    /// With all that it made. A job that is at work is cancelled first. Its source stays.
    pub async fn delete_job(&self, id: &offpeak_api::ids::JobId) -> Result<(), Error> {
        let response = self.send(self.operation(Method::DELETE, &["v1", "jobs", id.as_str()])?).await?;
        drop(response);
        Ok(())
    }

    /// Read a job
    pub async fn get_job(&self, id: &offpeak_api::ids::JobId) -> Result<offpeak_api::job::Job, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "jobs", id.as_str()])?).await?;
        self.read(response).await
    }

    /// Cancel a job
    ///
    /// Its machines stop within one heartbeat, and what it had made is removed.
    pub async fn cancel_job(&self, id: &offpeak_api::ids::JobId) -> Result<offpeak_api::job::Job, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "jobs", id.as_str(), "cancel"])?).await?;
        self.read(response).await
    }

    /// Read the map of a job
    ///
    /// Which machine made which segments, and who is at which now. Empty until the job is planned.
    pub async fn get_job_map(&self, id: &offpeak_api::ids::JobId) -> Result<offpeak_api::map::JobMap, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "jobs", id.as_str(), "map"])?).await?;
        self.read(response).await
    }

    /// Retry a failed job
    ///
    /// Only what is missing is done again.
    pub async fn retry_job(&self, id: &offpeak_api::ids::JobId) -> Result<offpeak_api::job::Job, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "jobs", id.as_str(), "retry"])?).await?;
        self.read(response).await
    }

    /// Use a link
    ///
    /// With the code of an address that somebody was given: makes the account or sets the password, and logs them in.
    pub async fn use_link(&self, body: &offpeak_api::people::UseLink) -> Result<offpeak_api::people::Session, Error> {
        let response = self.send(self.operation(Method::POST, &["v1", "links"])?.json(body)).await?;
        self.read(response).await
    }

    /// List people
    pub async fn list_people(&self) -> Result<offpeak_api::people::PersonList, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "people"])?).await?;
        self.read(response).await
    }

    /// Delete a person
    ///
    /// With their sessions and memberships. What their teams own stays, tokens that they made too.
    pub async fn delete_person(&self, id: &offpeak_api::ids::PersonId) -> Result<(), Error> {
        let response = self.send(self.operation(Method::DELETE, &["v1", "people", id.as_str()])?).await?;
        drop(response);
        Ok(())
    }

    /// Change a person
    ///
    /// Their name, their role, and whether they may log in. Who is disabled is logged out at once.
    pub async fn change_person(
        &self,
        id: &offpeak_api::ids::PersonId,
        body: &offpeak_api::people::ChangePerson,
    ) -> Result<offpeak_api::people::Person, Error> {
        let response = self.send(self.operation(Method::PATCH, &["v1", "people", id.as_str()])?.json(body)).await?;
        self.read(response).await
    }

    /// Make a link that sets a new password
    ///
    /// Good once and for a day, and told this once: send it to the person. Until it is used, the old password stays.
    pub async fn reset_person(&self, id: &offpeak_api::ids::PersonId) -> Result<offpeak_api::people::CreatedLink, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "people", id.as_str(), "reset"])?).await?;
        self.read(response).await
    }

    /// Read a group's policy
    pub async fn get_policy(&self, group: &offpeak_api::ids::GroupId) -> Result<offpeak_api::policy::Policy, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "policies", group.as_str()])?).await?;
        self.read(response).await
    }

    /// Replace a group's policy
    ///
    /// Fields that are left out get their defaults. Engines learn of it within a minute.
    pub async fn put_policy(
        &self,
        group: &offpeak_api::ids::GroupId,
        body: &offpeak_api::policy::Policy,
    ) -> Result<offpeak_api::policy::Policy, Error> {
        let response = self.send(self.operation(Method::PUT, &["v1", "policies", group.as_str()])?.json(body)).await?;
        self.read(response).await
    }

    /// List profiles
    ///
    /// In pages.
    pub async fn list_profiles(&self, query: &offpeak_api::page::PageQuery) -> Result<offpeak_api::profile::ProfileList, Error> {
        let response = self.send(self.operation_with(Method::GET, &["v1", "profiles"], query)?).await?;
        self.read(response).await
    }

    /// Delete a profile
    pub async fn delete_profile(&self, name: &str) -> Result<(), Error> {
        let response = self.send(self.operation(Method::DELETE, &["v1", "profiles", name])?).await?;
        drop(response);
        Ok(())
    }

    /// Read a profile
    pub async fn get_profile(&self, name: &str) -> Result<offpeak_api::profile::ProfileEntry, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "profiles", name])?).await?;
        self.read(response).await
    }

    /// Make or replace a profile
    ///
    /// Jobs keep the profile that they were made with.
    pub async fn put_profile(
        &self,
        name: &str,
        body: &offpeak_api::profile::Profile,
    ) -> Result<offpeak_api::profile::ProfileEntry, Error> {
        let response = self.send(self.operation(Method::PUT, &["v1", "profiles", name])?.json(body)).await?;
        self.read(response).await
    }

    /// Log out
    ///
    /// Here, or everywhere.
    pub async fn log_out(&self, query: &offpeak_api::people::LogOut) -> Result<(), Error> {
        let response = self.send(self.operation_with(Method::DELETE, &["v1", "session"], query)?).await?;
        drop(response);
        Ok(())
    }

    /// Read who is logged in
    pub async fn get_session(&self) -> Result<offpeak_api::people::Session, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "session"])?).await?;
        self.read(response).await
    }

    /// Change one's own name
    pub async fn change_self(&self, body: &offpeak_api::people::ChangeSelf) -> Result<offpeak_api::people::Session, Error> {
        let response = self.send(self.operation(Method::PATCH, &["v1", "session"])?.json(body)).await?;
        self.read(response).await
    }

    /// Log in
    ///
    /// The answer sets a cookie, which only this server's pages can use. After ten attempts within a quarter of an hour the account
    /// has to wait, whoever tries.
    pub async fn log_in(&self, body: &offpeak_api::people::Login) -> Result<offpeak_api::people::Session, Error> {
        let response = self.send(self.operation(Method::POST, &["v1", "session"])?.json(body)).await?;
        self.read(response).await
    }

    /// Change one's password
    ///
    /// All other sessions of this person end.
    pub async fn change_password(&self, body: &offpeak_api::people::ChangePassword) -> Result<(), Error> {
        let response = self.send(self.operation(Method::PUT, &["v1", "session", "password"])?.json(body)).await?;
        drop(response);
        Ok(())
    }

    /// List one's own sessions
    pub async fn list_sessions(&self) -> Result<offpeak_api::people::OpenSessionList, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "sessions"])?).await?;
        self.read(response).await
    }

    /// End one of one's own sessions
    ///
    /// Whoever uses it has to log in again. The one that asks may be ended too.
    pub async fn end_session(&self, id: &offpeak_api::ids::SessionId) -> Result<(), Error> {
        let response = self.send(self.operation(Method::DELETE, &["v1", "sessions", id.as_str()])?).await?;
        drop(response);
        Ok(())
    }

    /// Delete a source's bytes
    ///
    /// What its jobs made stays.
    pub async fn delete_source(&self, id: &offpeak_api::ids::SourceId) -> Result<(), Error> {
        let response = self.send(self.operation(Method::DELETE, &["v1", "sources", id.as_str()])?).await?;
        drop(response);
        Ok(())
    }

    /// Read a source
    ///
    /// The id is that of its upload.
    pub async fn get_source(&self, id: &offpeak_api::ids::SourceId) -> Result<offpeak_api::job::Source, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "sources", id.as_str()])?).await?;
        self.read(response).await
    }

    /// List teams
    ///
    /// For a program its own, for a member theirs, for operators and administrators all.
    pub async fn list_teams(&self) -> Result<offpeak_api::team::TeamList, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "teams"])?).await?;
        self.read(response).await
    }

    /// Make a team
    pub async fn create_team(&self, body: &offpeak_api::team::CreateTeam) -> Result<offpeak_api::team::Team, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "teams"])?.json(body)).await?;
        self.read(response).await
    }

    /// Delete a team
    ///
    /// With its tokens and profiles, once it has no jobs, sources and members.
    pub async fn delete_team(&self, id: &offpeak_api::ids::TeamId) -> Result<(), Error> {
        let response = self.send(self.operation(Method::DELETE, &["v1", "teams", id.as_str()])?).await?;
        drop(response);
        Ok(())
    }

    /// Rename a team, or change its weight
    pub async fn change_team(
        &self,
        id: &offpeak_api::ids::TeamId,
        body: &offpeak_api::team::ChangeTeam,
    ) -> Result<offpeak_api::team::Team, Error> {
        let response = self.send(self.operation(Method::PATCH, &["v1", "teams", id.as_str()])?.json(body)).await?;
        self.read(response).await
    }

    /// List a team's members
    pub async fn list_members(&self, id: &offpeak_api::ids::TeamId) -> Result<offpeak_api::team::MemberList, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "teams", id.as_str(), "members"])?).await?;
        self.read(response).await
    }

    /// Remove a person from a team
    pub async fn remove_member(&self, id: &offpeak_api::ids::TeamId, person: &offpeak_api::ids::PersonId) -> Result<(), Error> {
        let response =
            self.send(self.operation(Method::DELETE, &["v1", "teams", id.as_str(), "members", person.as_str()])?).await?;
        drop(response);
        Ok(())
    }

    /// Add a person to a team
    pub async fn add_member(&self, id: &offpeak_api::ids::TeamId, person: &offpeak_api::ids::PersonId) -> Result<(), Error> {
        let response = self.send(self.operation(Method::PUT, &["v1", "teams", id.as_str(), "members", person.as_str()])?).await?;
        drop(response);
        Ok(())
    }

    /// List tokens
    ///
    /// Of the team's programs, without their secrets.
    pub async fn list_tokens(&self) -> Result<offpeak_api::access::TokenList, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "tokens"])?).await?;
        self.read(response).await
    }

    /// Make a token
    ///
    /// For a program of the team. The secret is told this once. Nobody can give a scope that they do not have, and what a token makes
    /// ends with it at the latest.
    pub async fn create_token(
        &self,
        body: &offpeak_api::access::CreateToken,
    ) -> Result<offpeak_api::access::CreatedToken, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "tokens"])?.json(body)).await?;
        self.read(response).await
    }

    /// Revoke a token
    ///
    /// It is good for nothing from the next request on.
    pub async fn revoke_token(&self, id: &offpeak_api::ids::TokenId) -> Result<(), Error> {
        let response = self.send(self.operation(Method::DELETE, &["v1", "tokens", id.as_str()])?).await?;
        drop(response);
        Ok(())
    }

    /// Begin an upload straight into the bucket
    ///
    /// For servers whose storage is a bucket; others answer 409 `no_direct_uploads`. The parts then go to addresses of their own.
    pub async fn begin_direct_upload(
        &self,
        body: &offpeak_api::upload::BeginDirectUpload,
    ) -> Result<offpeak_api::upload::DirectUpload, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "uploads", "direct"])?.json(body)).await?;
        self.read(response).await
    }

    /// Complete an upload whose parts have all arrived
    ///
    /// May be repeated. The source's `sha256` is then S3's composite one: the SHA-256 of the parts' SHA-256s, a dash, and how many
    /// there are.
    pub async fn complete_direct_upload(&self, id: &offpeak_api::ids::SourceId) -> Result<offpeak_api::job::Source, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "uploads", id.as_str(), "complete"])?).await?;
        self.read(response).await
    }

    /// Ask which parts have arrived
    pub async fn list_sent_parts(
        &self,
        id: &offpeak_api::ids::SourceId,
        query: &offpeak_api::upload::ListParts,
    ) -> Result<offpeak_api::upload::SentParts, Error> {
        let response = self.send(self.operation_with(Method::GET, &["v1", "uploads", id.as_str(), "parts"], query)?).await?;
        self.read(response).await
    }

    /// Get addresses for parts
    ///
    /// PUT each part to its address, with the headers named there. Each is signed for one part, its length and its SHA-256.
    pub async fn sign_parts(
        &self,
        id: &offpeak_api::ids::SourceId,
        body: &offpeak_api::upload::PartsRequest,
    ) -> Result<offpeak_api::lease::UploadUrls, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "uploads", id.as_str(), "parts"])?.json(body)).await?;
        self.read(response).await
    }

    /// List webhooks
    pub async fn list_webhooks(&self) -> Result<offpeak_api::webhook::WebhookList, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "webhooks"])?).await?;
        self.read(response).await
    }

    /// Make a webhook
    ///
    /// The answer's secret is shown once: whoever receives messages checks their signatures with it.
    pub async fn create_webhook(
        &self,
        body: &offpeak_api::webhook::CreateWebhook,
    ) -> Result<offpeak_api::webhook::WebhookWithSecret, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "webhooks"])?.json(body)).await?;
        self.read(response).await
    }

    /// Delete a webhook
    ///
    /// With its deliveries; what was still to be sent is not sent.
    pub async fn delete_webhook(&self, id: &offpeak_api::ids::WebhookId) -> Result<(), Error> {
        let response = self.send(self.operation(Method::DELETE, &["v1", "webhooks", id.as_str()])?).await?;
        drop(response);
        Ok(())
    }

    /// Read a webhook
    pub async fn get_webhook(&self, id: &offpeak_api::ids::WebhookId) -> Result<offpeak_api::webhook::Webhook, Error> {
        let response = self.send(self.operation(Method::GET, &["v1", "webhooks", id.as_str()])?).await?;
        self.read(response).await
    }

    /// Change a webhook
    ///
    /// `enabled: true` brings back one that was disabled, whoever or whatever disabled it.
    pub async fn change_webhook(
        &self,
        id: &offpeak_api::ids::WebhookId,
        body: &offpeak_api::webhook::ChangeWebhook,
    ) -> Result<offpeak_api::webhook::Webhook, Error> {
        let response = self.send(self.operation(Method::PATCH, &["v1", "webhooks", id.as_str()])?.json(body)).await?;
        self.read(response).await
    }

    /// List a webhook's deliveries
    ///
    /// Youngest first, in pages, as far back as 30 days.
    pub async fn list_deliveries(
        &self,
        id: &offpeak_api::ids::WebhookId,
        query: &offpeak_api::webhook::ListDeliveries,
    ) -> Result<offpeak_api::webhook::WebhookDeliveryList, Error> {
        let response =
            self.send(self.operation_with(Method::GET, &["v1", "webhooks", id.as_str(), "deliveries"], query)?).await?;
        self.read(response).await
    }

    /// Read a delivery
    ///
    /// With what is sent, and what was answered.
    pub async fn get_delivery(
        &self,
        id: &offpeak_api::ids::WebhookId,
        delivery: &offpeak_api::ids::DeliveryId,
    ) -> Result<offpeak_api::webhook::WebhookDeliveryDetail, Error> {
        let response =
            self.send(self.operation(Method::GET, &["v1", "webhooks", id.as_str(), "deliveries", delivery.as_str()])?).await?;
        self.read(response).await
    }

    /// Send a delivery again
    ///
    /// The same message, with the same `webhook-id`, now and for another day if need be; whether it was delivered, given up, or still
    /// waits for its next attempt.
    pub async fn redeliver(
        &self,
        id: &offpeak_api::ids::WebhookId,
        delivery: &offpeak_api::ids::DeliveryId,
    ) -> Result<offpeak_api::webhook::WebhookDeliveryDetail, Error> {
        let response = self
            .once(self.operation(Method::POST, &["v1", "webhooks", id.as_str(), "deliveries", delivery.as_str(), "redeliver"])?)
            .await?;
        self.read(response).await
    }

    /// Rotate a webhook's secret
    ///
    /// Until the old one ends, messages carry signatures of both, so that a receiver can change over without a gap. Of secrets
    /// before that, none is valid any more.
    pub async fn rotate_secret(
        &self,
        id: &offpeak_api::ids::WebhookId,
        body: &offpeak_api::webhook::RotateSecret,
    ) -> Result<offpeak_api::webhook::WebhookWithSecret, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "webhooks", id.as_str(), "secret"])?.json(body)).await?;
        self.read(response).await
    }

    /// Send a test message
    ///
    /// `webhook.test`, whatever events the webhook wants, in one attempt. It shows up among the deliveries with what was answered.
    pub async fn test_webhook(
        &self,
        id: &offpeak_api::ids::WebhookId,
    ) -> Result<offpeak_api::webhook::WebhookDeliveryDetail, Error> {
        let response = self.once(self.operation(Method::POST, &["v1", "webhooks", id.as_str(), "test"])?).await?;
        self.read(response).await
    }
}
