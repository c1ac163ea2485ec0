//! What every handler gets: handles on the database and on storage, and the clock. No state of requests is kept here.

use std::{ops::Deref, sync::Arc};

use crate::{blob::BlobStore, clock::Clock, config::Config, db::Db, wake::Wake};

/// Clones share everything.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

#[derive(Debug)]
pub struct Parts {
    pub config: Config,
    pub db: Db,
    pub blobs: BlobStore,
    pub clock: Clock,
    pub wake: Wake,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Connects, migrates and opens storage.
    pub async fn start(config: Config, clock: Clock) -> anyhow::Result<Self> {
        use anyhow::Context;
        let db = Db::connect(&config.database_url, config.database_connections)
            .await
            .context("cannot open the database (OFFPEAK_DATABASE_URL)")?;
        db.migrate().await.context("cannot bring the database's schema up to date")?;
        let key = crate::settings::signing_key(&db).await?;
        let blobs = BlobStore::open(&config.storage, key).context("cannot open storage (OFFPEAK_STORAGE)")?;
        Ok(Self(Arc::new(Parts { config, db, blobs, clock, wake: Wake::default() })))
    }
}
