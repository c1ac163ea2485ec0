//! SQLite's one writer, with group commit: writers that come at the same time share one transaction, so that one wait for the
//! disk makes all of them durable.
//!
//! Each writer's part is a savepoint in the group's transaction. Whoever fails or is dropped takes back that savepoint and
//! nothing else. A task of the group's own commits it: it queues for the lock behind the writers that wait when the group
//! begins, so a lone writer waits for nobody, and the group is as large as the crowd. Nothing here depends on a caller's
//! future being polled to its end, for requests can be dropped at any `await`.

use std::{sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, oneshot},
    task::JoinHandle,
    time::Instant,
};

/// Beyond this the wait for the disk is no longer what costs.
const LARGEST: usize = 32;
/// Nobody joins an older group: other processes want the lock, and the first of the group wants its answer.
const OLDEST: Duration = Duration::from_millis(5);

/// Clones share the writer.
#[derive(Debug, Clone)]
pub struct GroupCommit(Arc<Mutex<Line>>);

/// What the lock guards. Writers take it in the order in which they came.
#[derive(Debug)]
struct Line {
    options: ConnectOptions,
    /// The only connection that writes. `None` after a commit failed: what state it is in is then anybody's guess.
    connection: Option<DatabaseConnection>,
    group: Option<Group>,
    /// How many groups there were.
    groups: u64,
}

#[derive(Debug)]
struct Group {
    outer: DatabaseTransaction,
    began: Instant,
    members: Vec<oneshot::Sender<Result<(), DbErr>>>,
}

/// The right to write now.
#[derive(Debug)]
pub struct Turn(OwnedMutexGuard<Line>);

impl GroupCommit {
    pub async fn connect(mut options: ConnectOptions) -> Result<Self, DbErr> {
        // Kept open: a new connection would read the schema again.
        options.max_connections(1).min_connections(1).idle_timeout(None).max_lifetime(None);
        let connection = Some(Database::connect(options.clone()).await?);
        Ok(Self(Arc::new(Mutex::new(Line { options, connection, group: None, groups: 0 }))))
    }

    /// Waits for its turn, then opens a savepoint.
    pub async fn begin(&self) -> Result<(DatabaseTransaction, Turn), DbErr> {
        let line = Arc::clone(&self.0).lock_owned().await;
        let this = self.clone();
        // To its end, whether or not the caller is still there: a savepoint that was opened must be known here.
        finish(tokio::spawn(async move {
            let mut line = line;
            if line.group.as_ref().is_some_and(|group| group.members.len() >= LARGEST || group.began.elapsed() >= OLDEST) {
                line.close().await;
            }
            if line.group.is_none() {
                line.open().await?;
                tokio::spawn(this.close(line.groups));
            }
            let group = line.group.as_ref().ok_or_else(|| DbErr::Custom("no open group".to_owned()))?;
            let tx = group.outer.begin().await?;
            Ok((tx, Turn(line)))
        }))
        .await
    }

    /// Commits this group, after those who wait already.
    async fn close(self, group: u64) {
        let mut line = self.0.lock().await;
        if line.groups == group {
            line.close().await;
        }
    }
}

impl Turn {
    /// Passes the turn on and waits until the group is on disk.
    pub async fn commit(self, tx: DatabaseTransaction) -> Result<(), DbErr> {
        finish(tokio::spawn(async move {
            let Self(mut line) = self;
            tx.commit().await?;
            let (member, durable) = oneshot::channel();
            line.group.as_mut().ok_or_else(|| DbErr::Custom("the group has ended".to_owned()))?.members.push(member);
            drop(line);
            durable.await.map_err(|_| DbErr::Custom("the group was given up".to_owned()))?
        }))
        .await
    }
}

impl Line {
    async fn open(&mut self) -> Result<(), DbErr> {
        let connection = match &self.connection {
            Some(connection) => connection,
            None => self.connection.insert(Database::connect(self.options.clone()).await?),
        };
        let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
        let outer = connection
            .begin_with_options(TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() })
            .await?;
        self.groups += 1;
        self.group = Some(Group { outer, began: Instant::now(), members: Vec::new() });
        Ok(())
    }

    async fn close(&mut self) {
        let Some(group) = self.group.take() else { return };
        let result = group.outer.commit().await;
        if let Err(error) = &result {
            tracing::error!(%error, writers = group.members.len(), "cannot commit to SQLite");
            self.connection = None;
        }
        for member in group.members {
            // Whoever is gone does not want to know.
            let _ = member.send(result.clone());
        }
    }
}

async fn finish<T>(task: JoinHandle<Result<T, DbErr>>) -> Result<T, DbErr> {
    task.await.map_err(|error| DbErr::Custom(format!("the server is stopping: {error}")))?
}
