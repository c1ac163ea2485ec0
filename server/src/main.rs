//! `offpeak-server`: serve the API, or do one chore and exit.

use std::time::Duration;

use anyhow::Context;
use axum::serve::Listener as _;
use clap::{Parser, Subcommand};
use offpeak_api::access::Scope;
use offpeak_server::{
    announce,
    app::App,
    auth::{ENROL_CODE_LIFETIME, TokenKind, scopes::Scopes, store as auth_store},
    clock::Clock,
    config::{Config, Settings},
    db::Db,
    people::links,
    router, serving, teams, tick,
    tls::{self, Listening},
    tokens, webhooks,
};
use tokio::net::TcpListener;

/// The Offpeak server: takes videos in, leases spans to idle machines, delivers adaptive streams.
///
/// Settings come from flags, OFFPEAK_* variables, or a TOML file; with none at all it serves on 127.0.0.1:7070, with a
/// database and a storage folder in the working directory.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API, the player page and the media
    Serve,
    /// Bring the database's schema up to date, and exit
    Migrate,
    /// Do once what is due (expired uploads, old leases …), and exit; `serve` does it by itself
    Tick,
    /// Print the API's description (OpenAPI 3.1, JSON)
    Openapi,
    /// Make tokens
    #[command(subcommand)]
    Token(Token),
    /// Print the certificate that the server makes for itself (OFFPEAK_TLS=self), in PEM
    Certificate,
    /// Let people in who are locked out
    #[command(subcommand)]
    People(People),
}

#[derive(Debug, Subcommand)]
enum People {
    /// Print a link for the first administrator, while there is nobody yet
    Setup,
    /// Print a link with which somebody sets a new password
    Reset {
        /// The person's email
        email: String,
    },
}

#[derive(Debug, Subcommand)]
enum Token {
    /// Make a token and print its secret, which is not kept
    Create {
        /// What it is for, as people will recognise it
        #[arg(long)]
        name: String,
        #[arg(long, value_enum, default_value = "program")]
        kind: TokenKind,
        /// What a program may do, such as `jobs:read` (may be repeated) [default: everything but `admin`]
        #[arg(long = "scope", value_name = "SCOPE", value_parser = scope, value_delimiter = ',')]
        scopes: Vec<Scope>,
        /// The team that a program works for, by name or id [default: the first one]
        #[arg(long, value_name = "TEAM")]
        team: Option<String>,
        /// Days until it expires [default: never]
        #[arg(long, value_name = "DAYS", alias = "days")]
        expires: Option<u64>,
    },
    /// Print an enrolment code for agents
    Enrol {
        /// How many agents may use it
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// Hours until it expires
        #[arg(long, value_name = "HOURS", default_value_t = ENROL_CODE_LIFETIME.as_secs() / 3600)]
        hours: u64,
        /// Print a link that also holds the address (OFFPEAK_PUBLIC_URL) and, if the server made its certificate, its fingerprint
        #[arg(long)]
        link: bool,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if matches!(cli.command, Command::Openapi) {
        println!("{}", serde_json::to_string_pretty(&router::openapi())?);
        return Ok(());
    }
    log_to_stderr();
    let config = cli.settings.with_file()?.check()?;
    match cli.command {
        Command::Serve => serve(config).await,
        Command::Migrate => {
            let db = Db::connect(&config.database_url, config.database_connections)
                .await
                .context("cannot open the database (OFFPEAK_DATABASE_URL)")?;
            db.migrate().await.context("cannot bring the database's schema up to date")
        }
        Command::Tick => {
            let app = App::start(config, Clock::system()).await?;
            tick::tick(&app).await?;
            Ok(webhooks::send::send_due(&app).await?)
        }
        Command::Token(token) => {
            println!("{}", make_token(config, token).await?);
            Ok(())
        }
        Command::Certificate => {
            let db = Db::connect(&config.database_url, config.database_connections)
                .await
                .context("cannot open the database (OFFPEAK_DATABASE_URL)")?;
            db.migrate().await?;
            print!("{}", tls::own_certificate(&config, &db).await?);
            Ok(())
        }
        Command::People(people) => {
            let app = App::start(config, Clock::system()).await?;
            let link = match people {
                People::Setup => {
                    links::setup_link(&app).await?.context("somebody has an account already: use `people reset EMAIL`")?
                }
                People::Reset { email } => links::reset_link(&app, &email).await?,
            };
            println!("{link}");
            Ok(())
        }
        Command::Openapi => Ok(()),
    }
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| {
        let known: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        format!("expected one of {}", known.join(", "))
    })
}

fn log_to_stderr() {
    use std::io::IsTerminal;
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::env::var("OFFPEAK_LOG").is_ok_and(|format| format == "json") {
        builder.json().init();
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).init();
    }
}

/// How long open requests may finish after SIGTERM. Engines retry, so nothing is lost when they cannot.
const GRACE: Duration = Duration::from_secs(5);

async fn serve(config: Config) -> anyhow::Result<()> {
    config.check_plain_http()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {} (OFFPEAK_LISTEN): is another server running there?", config.listen))?;
    let app = App::start(config, Clock::system()).await?;
    let listening = Listening::new(listener, tls::server_config(&app.config, &app.db).await?)?;
    if let Some(fingerprint) = tls::fingerprint(&app.config, &app.db).await? {
        tracing::info!(%fingerprint, "showing the certificate that this server made; enrolment links carry its fingerprint");
    }
    tick::tick(&app).await?;
    let ticking = tokio::spawn({
        let app = app.clone();
        async move {
            loop {
                tokio::time::sleep(app.config.lease.tick_every()).await;
                if let Err(error) = tick::tick(&app).await {
                    tracing::warn!(%error, "a tick failed; the next one tries again");
                }
            }
        }
    });
    let announced = announce::start(&app.config, listening.local_addr()?);
    let sending = tokio::spawn(webhooks::send::keep_sending(app.clone()));
    tracing::info!(address = %listening.local_addr()?, public_url = %app.config.public_url, storage = %app.config.storage, "serving");
    if let Some(link) = links::setup_link(&app).await? {
        // To standard output only: a log is read by more people than may become administrators.
        println!("Nobody has an account here yet. The first administrator opens, within a day:\n{link}");
        tracing::info!("nobody has an account yet; a link for the first administrator is on standard output");
    }
    let stop = async {
        stop_signal().await;
        tracing::info!("stopping");
    };
    serving::serve(listening, router::router(app), stop, GRACE).await;
    drop(announced);
    ticking.abort();
    sending.abort();
    Ok(())
}

/// Ctrl-C, or SIGTERM where there are signals.
async fn stop_signal() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = interrupted.await;
}

/// As [`tokens::link::enrol_link`], which has to be there.
async fn enrol_link(config: &Config, db: &Db, code: &str) -> anyhow::Result<String> {
    let server = &config.public_url;
    tokens::link::enrol_link(config, db, code).await?.with_context(|| {
        format!(
            "{server} is no address that machines can reach. Set OFFPEAK_PUBLIC_URL to the one under which they find this server."
        )
    })
}

async fn make_token(config: Config, token: Token) -> anyhow::Result<String> {
    let now = Clock::system().now();
    let db = Db::connect(&config.database_url, config.database_connections)
        .await
        .context("cannot open the database (OFFPEAK_DATABASE_URL)")?;
    db.migrate().await?;
    let tx = db.write().await?;
    let team = auth_store::default_team(&tx.tx, now).await?;
    let secret = match token {
        Token::Create { name, kind: TokenKind::Agent, .. } => auth_store::create_agent(&tx.tx, &team, &name, now).await?.1,
        Token::Create { name, kind, scopes, team: named, expires } => {
            let lifetime = expires.map(|days| Duration::from_secs(days.saturating_mul(24 * 3600)));
            let team = match named {
                None => team,
                Some(named) => teams::store::find_called(&tx.tx, &named).await?,
            };
            let new = auth_store::NewToken { team: &team, kind, name: &name, agent: None, uses: None, lifetime };
            let scopes = (!scopes.is_empty()).then(|| scopes.into_iter().collect::<Scopes>());
            let extras = auth_store::TokenExtras { scopes: scopes.as_ref(), group: None };
            auth_store::create_token_with(&tx.tx, new, extras, now).await?.1
        }
        Token::Enrol { uses, hours, link } => {
            let lifetime = Some(Duration::from_secs(hours.saturating_mul(3600)));
            let new = auth_store::NewToken {
                team: &team,
                kind: TokenKind::Enrol,
                name: "enrolment code",
                agent: None,
                uses: Some(uses),
                lifetime,
            };
            let code = auth_store::create_token(&tx.tx, new, now).await?;
            tx.commit().await?;
            return if link { enrol_link(&config, &db, &code).await } else { Ok(code) };
        }
    };
    tx.commit().await?;
    Ok(secret)
}
