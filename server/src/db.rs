//! The database: one connection pool, reads at any time, writes in short immediate transactions.

use std::sync::Arc;
use std::time::Duration;

use offpeak_migrations::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use tokio::sync::{Mutex, MutexGuard};

/// How long a writer of another process may hold SQLite's lock before ours gives up.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A handle on the database; clones share the pool.
#[derive(Debug, Clone)]
pub struct Db {
    pub reader: DatabaseConnection,
    /// SQLite has one writer at a time: taking turns here is fair, while its busy handler polls.
    sqlite_turn: Option<Arc<Mutex<()>>>,
}

/// A write transaction. Dropped without [`WriteTx::commit`], it is rolled back.
#[derive(Debug)]
pub struct WriteTx<'a> {
    pub tx: DatabaseTransaction,
    _turn: Option<MutexGuard<'a, ()>>,
}

impl WriteTx<'_> {
    pub async fn commit(self) -> Result<(), DbErr> {
        self.tx.commit().await
    }
}

impl Db {
    /// Connects to `sqlite://…` or `postgres://…`; an SQLite file is created when missing.
    pub async fn connect(url: &str) -> Result<Self, DbErr> {
        let sqlite = url.starts_with("sqlite:");
        let mut options = ConnectOptions::new(url.to_owned());
        options.max_connections(if sqlite { 8 } else { 16 }).sqlx_logging(false);
        if sqlite {
            options.map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .create_if_missing(true)
                    .pragma("journal_mode", "WAL")
                    // A commit that was answered must survive a power cut: engines drop their copy after it.
                    .pragma("synchronous", "FULL")
                    .pragma("foreign_keys", "ON")
                    .busy_timeout(SQLITE_BUSY_TIMEOUT)
            });
        }
        let reader = Database::connect(options).await?;
        Ok(Self { reader, sqlite_turn: sqlite.then(|| Arc::new(Mutex::new(()))) })
    }

    /// Begins a write transaction: on SQLite it holds the write lock from the start, so it never fails half-way.
    pub async fn write(&self) -> Result<WriteTx<'_>, DbErr> {
        let _turn = match &self.sqlite_turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        let sqlite_transaction_mode = self.sqlite_turn.is_some().then_some(SqliteTransactionMode::Immediate);
        let tx = self
            .reader
            .begin_with_options(TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() })
            .await?;
        Ok(WriteTx { tx, _turn })
    }

    /// Brings the schema up to date. Safe to run from several servers at once: they take turns.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        match self.reader.get_database_backend() {
            DbBackend::Postgres => {
                // The lock is held by this transaction while the migrator uses connections of its own.
                let guard = self.reader.begin().await?;
                guard.execute_unprepared("SELECT pg_advisory_xact_lock(7331203)").await?;
                Migrator::up(&self.reader, None).await?;
                guard.commit().await
            }
            _ => {
                let lock = self.sqlite_turn.as_ref().map(|turn| turn.lock());
                let _turn = match lock {
                    Some(lock) => Some(lock.await),
                    None => None,
                };
                let tx = self
                    .reader
                    .begin_with_options(TransactionOptions {
                        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                        ..TransactionOptions::default()
                    })
                    .await?;
                Migrator::up(&tx, None).await?;
                tx.commit().await
            }
        }
    }
}
