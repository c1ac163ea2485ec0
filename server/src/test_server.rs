//! For tests of handlers: a server on a free port, with its own folder, database and clock.

use std::{net::SocketAddr, time::Duration};

use offpeak_api::ids::{SourceId, TeamId};
use reqwest::{Client, Method, RequestBuilder};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    app::App,
    auth::{TokenKind, store as auth_store},
    clock::{Clock, Instant},
    config::Settings,
    error::ApiError,
};

/// Stops when dropped.
pub struct TestServer {
    pub app: App,
    pub client: Client,
    pub address: SocketAddr,
    pub team: TeamId,
    /// A program's token of `team`.
    pub token: String,
    folder: TempDir,
    serving: JoinHandle<()>,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A moment in the past: what files say of their age is then never in a test's way.
pub const START: Instant = Instant(1_700_000_000_000);

impl TestServer {
    pub async fn start(routes: OpenApiRouter<App>) -> Self {
        Self::start_with(routes, |_| ()).await
    }

    /// As [`TestServer::start`], with settings of its own.
    pub async fn start_with(routes: OpenApiRouter<App>, edit: impl FnOnce(&mut Settings)) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path();
        let mut settings = Settings {
            database_url: Some(format!("sqlite://{}", path.join("offpeak.db").display())),
            storage: Some(format!("file://{}", path.join("storage").display())),
            ..Settings::default()
        };
        edit(&mut settings);
        let config = settings.check().expect("these settings are valid");
        let app = App::start(config, Clock::set_to(START)).await.expect("a server in an empty folder starts");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound port has an address");
        let (router, _) = routes.with_state(app.clone()).split_for_parts();
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("serving goes on until aborted");
        });
        let team = auth_store::default_team(&app.db.reader, START).await.expect("a team can be made");
        let token = program_token(&app, &team).await.expect("a token can be made");
        Self { app, client: Client::new(), address, team, token, folder, serving }
    }

    /// The folder of all files of this server.
    pub fn storage(&self) -> std::path::PathBuf {
        self.folder.path().join("storage")
    }

    /// Where a source is while it arrives.
    pub fn upload_path(&self, id: &SourceId) -> std::path::PathBuf {
        self.storage().join(".uploads").join(id.as_str())
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request without a token.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path)).timeout(Duration::from_secs(60))
    }

    /// A request of the team's program.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(&self.token)
    }
}

/// Another program's token.
pub async fn program_token(app: &App, team: &TeamId) -> Result<String, ApiError> {
    let new = auth_store::NewToken { team, kind: TokenKind::Program, name: "test", agent: None, uses: None, lifetime: None };
    let tx = app.db.write().await?;
    let token = auth_store::create_token(&tx.tx, new, app.clock.now()).await?;
    tx.commit().await?;
    Ok(token)
}

/// The `code` of a refusal, with its status.
pub async fn refusal(answer: reqwest::Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").cloned();
    let text = answer.text().await.expect("an answer has a readable body");
    assert_eq!(kind.as_ref().and_then(|kind| kind.to_str().ok()), Some("application/problem+json"), "{status} {text}");
    let problem: offpeak_api::problem::Problem = serde_json::from_str(&text).expect("a refusal is a problem");
    assert_eq!(problem.status, status);
    (status, problem.code)
}
