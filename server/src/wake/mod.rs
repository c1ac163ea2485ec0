//! Wakes those who wait: long polls for work, and watchers of jobs; in this process at once, in others by PostgreSQL's
//! `LISTEN` and `NOTIFY`. Nobody asks the database again and again.
//!
//! Only a hint: whoever wakes looks for itself, and a lost wake-up costs time and nothing else. A server that dies between
//! a commit and its note is made good by the next tick of any server.

mod line;
mod postgres;

use std::{sync::Arc, time::Duration};

use sea_orm::DatabaseConnection;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use line::Lines;
pub use line::WorkWaiter;
use postgres::Outbox;

/// How long a watcher of events trusts the silence before it looks for itself.
pub const LOOK_ANYWAY: Duration = Duration::from_secs(10);

/// What there is news of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    Work,
    Events,
}

#[derive(Debug, Clone)]
pub struct Wake {
    here: Here,
    /// Other servers on the same database; on SQLite there is none.
    others: Option<Arc<Others>>,
}

/// The waiters of this process.
#[derive(Debug, Clone, Default)]
struct Here {
    work: Lines,
    events: watch::Sender<u64>,
}

#[derive(Debug)]
struct Others {
    outbox: Arc<Outbox>,
    _listening: AbortOnDropHandle<()>,
    _telling: [AbortOnDropHandle<()>; 2],
}

impl Here {
    fn tell(&self, news: News) {
        match news {
            News::Work => self.work.work(),
            News::Events => self.events.send_modify(|n| *n += 1),
        }
    }
}

impl Wake {
    /// Waiters in this process, and on PostgreSQL those of all servers that share the database.
    pub fn start(db: &DatabaseConnection) -> Self {
        let here = Here::default();
        let others = matches!(db.get_database_backend(), sea_orm::DbBackend::Postgres).then(|| {
            let outbox = Arc::new(Outbox::default());
            let listening = tokio::spawn(postgres::listen(db.clone(), here.clone(), Arc::clone(&outbox)));
            let telling =
                News::ALL.map(|news| AbortOnDropHandle::new(tokio::spawn(postgres::tell(db.clone(), Arc::clone(&outbox), news))));
            Arc::new(Others { outbox, _listening: AbortOnDropHandle::new(listening), _telling: telling })
        });
        Self { here, others }
    }

    /// There may be something to lease. Call it after the commit.
    pub fn work(&self) {
        self.tell(News::Work);
    }

    /// Something happened to a job. Call it after the commit.
    pub fn events(&self) {
        self.tell(News::Events);
    }

    fn tell(&self, news: News) {
        self.here.tell(news);
        if let Some(others) = &self.others {
            others.outbox.put(news);
        }
    }

    /// Joins the line of those who can do the same. Do it before looking: work that comes between the look and the wait is
    /// then not missed.
    pub fn work_waiter(&self, can_do: &str) -> WorkWaiter {
        self.here.work.join(can_do)
    }

    /// How many wait for work in this process.
    pub fn waiting_for_work(&self) -> usize {
        self.here.work.len()
    }

    /// Take this before looking: a wake-up between the look and the wait is then not lost.
    pub fn event_waiter(&self) -> EventWaiter {
        EventWaiter(self.here.events.subscribe())
    }
}

#[derive(Debug)]
pub struct EventWaiter(watch::Receiver<u64>);

impl EventWaiter {
    /// Returns at a wake-up since the last call, or after `at_most`.
    pub async fn wait(&mut self, at_most: Duration) {
        // A closed channel or a time-out both mean the same to the caller: look again.
        let _ = tokio::time::timeout(at_most, self.0.changed()).await;
    }
}
