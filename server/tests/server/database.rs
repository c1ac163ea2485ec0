//! The database of a test. The suite is built twice, once for each, by `sqlite.rs` and `postgres.rs`.

use std::path::Path;

/// Gone when dropped.
pub enum Database {
    /// A file in the test's folder.
    Sqlite { url: String },
    /// A server of the test's own.
    #[cfg(unix)]
    Postgres(offpeak_backends::Postgres),
}

impl Database {
    /// An empty one.
    pub fn start(folder: &Path) -> Self {
        match env!("CARGO_CRATE_NAME") {
            "sqlite" => Self::Sqlite { url: format!("sqlite://{}", folder.join("offpeak.db").display()) },
            #[cfg(unix)]
            "postgres" => Self::Postgres(offpeak_backends::Postgres::start().unwrap()),
            other => panic!("no database for {other}"),
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite { url } => url.clone(),
            #[cfg(unix)]
            Self::Postgres(server) => server.url(),
        }
    }
}

/// What is left out of the list for PostgreSQL would silently run on SQLite alone. It has more: several servers.
#[test]
fn every_test_runs_on_postgres() {
    let modules = |root: &str| root.lines().filter(|line| line.starts_with("mod ")).map(str::to_owned).collect::<Vec<_>>();
    let postgres = modules(include_str!("postgres.rs"));
    for module in modules(include_str!("sqlite.rs")) {
        assert!(postgres.contains(&module), "postgres.rs lacks `{module}`");
    }
}
