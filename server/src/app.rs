//! What every handler gets: handles on the database and on storage, and the clock. No state of requests is kept here.

use std::{ops::Deref, sync::Arc};

use anyhow::Context;
use offpeak_api::ids::TeamId;

use crate::{
    auth::{self, known::KnownAgents},
    blob::{BlobStore, Location, Storage},
    clock::Clock,
    commit::known::KnownRenditions,
    config::Config,
    db::Db,
    deliver::playback::Accesses,
    front::rate::Rates,
    jobs::{eta::known::Estimates, planned::Plans},
    lease::{expiry::LastLook, known::KnownLeases, looks::Looks, seen::Seen},
    people::passwords::Passwords,
    wake::Wake,
    webhooks,
};

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
    pub plans: Plans,
    pub last_look: LastLook,
    pub looks: Looks,
    pub known_renditions: KnownRenditions,
    pub known_leases: KnownLeases,
    pub seen: Seen,
    pub known_agents: KnownAgents,
    pub rates: Rates,
    pub estimates: Estimates,
    /// Calls the addresses of webhooks.
    pub webhooks: offpeak_outbound::Client,
    /// The team that agents and groups are filed under, though they work for all.
    pub farm: TeamId,
    pub passwords: Passwords,
    pub accesses: Accesses,
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
        let location = Location::parse(&config.storage).map_err(anyhow::Error::msg)?;
        let storage = Storage::open(&location).await.context("cannot open storage (OFFPEAK_STORAGE)")?;
        Self::start_on(storage, config, clock).await
    }

    /// As [`App::start`], on storage that is open already.
    pub async fn start_on(storage: Storage, config: Config, clock: Clock) -> anyhow::Result<Self> {
        let db = Db::connect(&config.database_url, config.database_connections)
            .await
            .context("cannot open the database (OFFPEAK_DATABASE_URL)")?;
        db.migrate().await.context("cannot bring the database's schema up to date")?;
        let wake = Wake::start(&db.reader);
        let key = crate::settings::signing_key(&db).await?;
        let blobs = BlobStore::new(storage, key);
        let tx = db.write().await?;
        let farm = auth::store::default_team(&tx.tx, clock.now()).await?;
        tx.commit().await?;
        let (plans, last_look, looks) = (Plans::default(), LastLook::default(), Looks::default());
        let (passwords, accesses) = (Passwords::default(), Accesses::default());
        let (known_renditions, known_leases) = (KnownRenditions::default(), KnownLeases::default());
        let (seen, known_agents) = (Seen::default(), KnownAgents::default());
        let rates = Rates::new(config.requests_per_minute);
        let estimates = Estimates::default();
        let webhooks =
            webhooks::send::client(config.outbound_allow.clone()).context("cannot make an HTTP client for webhooks")?;
        Ok(Self(Arc::new(Parts {
            config,
            db,
            blobs,
            clock,
            wake,
            plans,
            last_look,
            looks,
            known_renditions,
            known_leases,
            seen,
            known_agents,
            rates,
            estimates,
            webhooks,
            farm,
            passwords,
            accesses,
        })))
    }
}
