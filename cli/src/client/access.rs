//! Tokens, teams, enrolment codes.

use offpeak_api::{
    access::{CreateEnrolmentCode, CreateToken, CreatedEnrolmentCode, CreatedToken, TokenList},
    ids::TokenId,
    team::TeamList,
};
use reqwest::Method;

use super::Client;
use crate::error::CliError;

impl Client {
    pub async fn tokens(&self) -> Result<TokenList, CliError> {
        self.get("/v1/tokens").await
    }

    pub async fn create_token(&self, token: &CreateToken) -> Result<CreatedToken, CliError> {
        let url = self.resolve("/v1/tokens")?;
        self.call(self.request(Method::POST, url).json(token)).await
    }

    pub async fn revoke_token(&self, id: &TokenId) -> Result<(), CliError> {
        let url = self.resolve(&format!("/v1/tokens/{id}"))?;
        self.send(self.request(Method::DELETE, url).timeout(super::ANSWER_WITHIN)).await.map(drop)
    }

    pub async fn teams(&self) -> Result<TeamList, CliError> {
        self.get("/v1/teams").await
    }

    pub async fn create_enrolment_code(&self, code: &CreateEnrolmentCode) -> Result<CreatedEnrolmentCode, CliError> {
        let url = self.resolve("/v1/enrolment-codes")?;
        self.call(self.request(Method::POST, url).json(code)).await
    }
}
