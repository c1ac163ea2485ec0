//! `offpeak tokens`, `offpeak teams`, `offpeak enrol-code`: who may do what.

use clap::Subcommand;
use offpeak_api::{
    access::{CreateEnrolmentCode, CreateToken, Scope, Token},
    ids::TokenId,
    team::Team,
};

use crate::{
    client::{self, Client},
    commands::print,
    error::CliError,
    fleet,
    fleet::find,
};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Tokens {
    #[command(subcommand)]
    pub change: Option<Change>,
}

#[derive(Debug, Subcommand)]
pub enum Change {
    /// Make a token and print its secret, which is told this once.
    Create {
        /// What it is for.
        name: String,
        /// What it may do, such as `jobs:read` (may be repeated, or separated by commas).
        #[arg(long = "scope", required = true, value_delimiter = ',', value_parser = scope, value_name = "SCOPE")]
        scopes: Vec<Scope>,
        /// Days until it expires; never when absent.
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        expires: Option<u32>,
    },
    /// Revoke a token: it is good for nothing from now on.
    Revoke { id: TokenId },
}

#[derive(Debug, clap::Args)]
pub struct EnrolCode {
    /// How many machines may use it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub uses: u32,
    /// Hours until it expires.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=2160))]
    pub hours: u32,
    /// The group that machines join; the default one when absent.
    #[arg(long, value_name = "NAME|ID")]
    pub group: Option<String>,
}

fn scope(text: &str) -> Result<Scope, String> {
    let known = || Scope::ALL.map(Scope::as_str).join(", ");
    Scope::parse(text).ok_or_else(|| format!("expected one of {}", known()))
}

pub async fn tokens(client: &Client, tokens: Tokens, json: bool) -> Result<(), CliError> {
    match tokens.change {
        None => {
            let tokens = client.list_tokens().await?.tokens;
            print(json, &tokens, || if tokens.is_empty() { "no tokens".to_owned() } else { tokens_table(&tokens) })
        }
        Some(Change::Create { name, scopes, expires }) => {
            let made = client.create_token(&CreateToken { name, scopes, expires_in_days: expires }).await?;
            if !json {
                eprintln!("note: the secret of {} is told this once", made.token.id);
            }
            print(json, &made, || made.secret.clone())
        }
        Some(Change::Revoke { id }) => {
            client.revoke_token(&id).await?;
            print(json, &id, || format!("{id} revoked"))
        }
    }
}

pub async fn teams(client: &Client, json: bool) -> Result<(), CliError> {
    let teams = client.list_teams().await?.teams;
    print(json, &teams, || teams_table(&teams))
}

pub async fn enrol_code(client: &Client, asked: EnrolCode, json: bool) -> Result<(), CliError> {
    let group = match asked.group {
        None => None,
        Some(called) => Some(find::group(&client::groups(client).await?, &called)?),
    };
    let request = CreateEnrolmentCode { name: None, group, uses: Some(asked.uses), expires_in_hours: Some(asked.hours) };
    let made = client.create_enrolment_code(&request).await?;
    if !json {
        eprintln!("note: for {} machine(s) within {} h; use it with: offpeak-agent enrol", asked.uses, asked.hours);
    }
    print(json, &made, || made.code.clone())
}

fn tokens_table(tokens: &[Token]) -> String {
    let day = |at: Option<chrono::DateTime<chrono::Utc>>| at.map_or("never".to_owned(), |at| at.format("%Y-%m-%d").to_string());
    let mut rows = vec![["ID", "NAME", "LAST USED", "EXPIRES", "SCOPES"].map(str::to_owned)];
    rows.extend(tokens.iter().map(|token| {
        let scopes = token.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",");
        [token.id.to_string(), token.name.clone(), day(token.last_used_at), day(token.expires_at), scopes]
    }));
    fleet::table(&rows)
}

fn teams_table(teams: &[Team]) -> String {
    let mut rows = vec![["ID", "NAME", "WEIGHT"].map(str::to_owned)];
    rows.extend(teams.iter().map(|team| [team.id.to_string(), team.name.clone(), team.weight.to_string()]));
    fleet::table(&rows)
}
