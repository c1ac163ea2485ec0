//! An empty database and storage, with a server under test on them.

use std::path::PathBuf;

use anyhow::{Context, Result};
use offpeak_backends::{Durability, Postgres};
use offpeak_server::db::Db;
use tempfile::TempDir;

use super::{child::Child, side::Side};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// All of it stops, and its files go, when this is dropped.
pub struct Place {
    pub server: Child,
    pub db: Db,
    pub side: Side,
    pub postgres: Option<Postgres>,
    pub folder: TempDir,
}

impl Place {
    /// With a durable database, opened by the server as in production, and by the bench with so many connections.
    pub async fn start(database: Database, scratch: Option<&PathBuf>, connections: u32) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("offpeak-bench-");
        let folder = scratch.map_or_else(|| builder.tempdir(), |scratch| builder.tempdir_in(scratch))?;
        let postgres = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(Postgres::start_with(Durability::OnDisk)?),
        };
        let url = match &postgres {
            Some(postgres) => postgres.url(),
            None => format!("sqlite://{}", folder.path().join("offpeak.db").display()),
        };
        let server = Child::server(&url, folder.path())?;
        let db = Db::connect(&url, connections).await.context("cannot open the server's database beside it")?;
        let side = Side { db: db.reader.clone(), storage: folder.path().join("storage") };
        Ok(Self { server, db, side, postgres, folder })
    }
}
