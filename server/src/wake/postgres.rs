//! Between servers: a note on a channel of PostgreSQL, by a task that sends it and a task that listens.
//!
//! Notes are sent after the commit, not in it: a transaction with `NOTIFY` commits under a lock of the whole database, and
//! leases would queue for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection,
    sqlx::{self, postgres::PgListener},
};
use tokio::{sync::Notify, time::timeout};

use super::{Here, News};
use crate::auth;

const CHANNEL: &str = "offpeak";
/// A connection that says nothing for so long is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(20);
/// How long an answer to that may take.
const PATIENCE: Duration = Duration::from_secs(5);
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What other servers are to be told.
#[derive(Debug)]
pub struct Outbox {
    /// Tells our own notes from theirs.
    me: String,
    work: Pending,
    events: Pending,
}

/// News of one kind that is not sent yet.
#[derive(Debug, Default)]
struct Pending {
    is_there: AtomicBool,
    filled: Notify,
}

impl Default for Outbox {
    fn default() -> Self {
        Self { me: auth::random_name(12), work: Pending::default(), events: Pending::default() }
    }
}

impl News {
    pub(super) const ALL: [Self; 2] = [Self::Work, Self::Events];

    /// What comes within this time is one note. Engines wait for work; events are looked at by people.
    fn at_most_every(self) -> Duration {
        match self {
            Self::Work => Duration::from_millis(10),
            Self::Events => Duration::from_millis(150),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Events => "events",
        }
    }
}

impl Outbox {
    fn pending(&self, news: News) -> &Pending {
        match news {
            News::Work => &self.work,
            News::Events => &self.events,
        }
    }

    pub(super) fn put(&self, news: News) {
        let pending = self.pending(news);
        if !pending.is_there.swap(true, Ordering::AcqRel) {
            pending.filled.notify_one();
        }
    }
}

/// Sends news of one kind, for ever.
pub(super) async fn tell(db: DatabaseConnection, outbox: Arc<Outbox>, news: News) {
    let pending = outbox.pending(news);
    // Both parts are ours: letters and digits.
    let note = format!("SELECT pg_notify('{CHANNEL}', '{} {}')", outbox.me, news.as_str());
    loop {
        pending.filled.notified().await;
        if pending.is_there.swap(false, Ordering::AcqRel)
            && let Err(error) = db.execute_unprepared(&note).await
        {
            tracing::debug!(%error, "a note to other servers is lost; their next tick makes up for it");
        }
        tokio::time::sleep(news.at_most_every()).await;
    }
}

/// Passes on what others tell, for ever.
pub(super) async fn listen(db: DatabaseConnection, here: Here, outbox: Arc<Outbox>) {
    loop {
        let Err(error) = listen_once(&db, &here, &outbox.me).await;
        tracing::warn!(%error, "lost the line to other servers; until it is back, news of theirs come late");
        tokio::time::sleep(TRY_AGAIN_AFTER).await;
    }
}

async fn listen_once(db: &DatabaseConnection, here: &Here, me: &str) -> Result<std::convert::Infallible, sqlx::Error> {
    let mut listener = PgListener::connect_with(db.get_postgres_connection_pool()).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // Whatever was told before the line stood was not heard.
        News::ALL.into_iter().for_each(|news| here.tell(news));
        loop {
            match timeout(SILENCE, listener.try_recv()).await {
                Ok(note) => match note? {
                    Some(note) => hear(note.payload(), here, me),
                    // It was lost, and stands again.
                    None => break,
                },
                Err(_) => {
                    let asked = timeout(PATIENCE, sqlx::query("SELECT 1").execute(&mut listener)).await;
                    asked.map_err(|_| sqlx::Error::PoolTimedOut)??;
                }
            }
        }
    }
}

fn hear(note: &str, here: &Here, me: &str) {
    let Some((from, what)) = note.split_once(' ') else { return };
    if from != me
        && let Some(news) = News::ALL.into_iter().find(|news| news.as_str() == what)
    {
        here.tell(news);
    }
}
