//! The database: a pool for reads at any time, and short write transactions. On SQLite those share their way to the disk
//! (`group.rs`).

mod along;
mod at_once;
mod group;
#[cfg(test)]
mod tests;

use std::time::Duration;

use offpeak_migrations::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, RuntimeErr,
    TransactionTrait, sqlx,
};

use crate::private;

pub use along::along;
pub use at_once::Writes;
use group::{GroupCommit, Turn};

/// How long a writer of another process may hold SQLite's lock before ours gives up.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// SQLite's readers. More of them would only share the same cores.
const SQLITE_READERS: u32 = 8;

/// PostgreSQL does not need more to keep its disk busy, and every one is a process there.
pub const POSTGRES_CONNECTIONS: u32 = 16;
/// A server that hangs inside a transaction keeps what it locked, and keeps dead rows from being cleaned for everybody.
const POSTGRES_IDLE_IN_TRANSACTION: Duration = Duration::from_secs(15);
/// No statement of ours takes a second.
const POSTGRES_STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);
/// A connection that was used this recently is taken as alive without asking it.
const POSTGRES_TRUSTED_FOR: Duration = Duration::from_secs(10);

/// A handle on the database; clones share the pool.
#[derive(Debug, Clone)]
pub struct Db {
    pub reader: DatabaseConnection,
    writer: Writer,
}

#[derive(Debug, Clone)]
enum Writer {
    Sqlite(GroupCommit),
    /// Any connection of the pool.
    Postgres,
}

/// A write transaction. Dropped without [`WriteTx::commit`], it is rolled back.
#[derive(Debug)]
pub struct WriteTx {
    // The order matters: on SQLite, what is not committed is rolled back before the turn passes on.
    pub tx: DatabaseTransaction,
    turn: Option<Turn>,
}

impl WriteTx {
    /// What was written is on disk when this returns. Dropping the future does not take it back.
    pub async fn commit(self) -> Result<(), DbErr> {
        along::carry(&self.tx).await?;
        match self.turn {
            Some(turn) => turn.commit(self.tx).await,
            None => self.tx.commit().await,
        }
    }
}

impl Db {
    /// Connects to `sqlite://…` or `postgres://…`; an SQLite file is created when missing. `connections` is the most that
    /// PostgreSQL is asked for.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, DbErr> {
        if url.starts_with("sqlite:") {
            make_private(url);
            // The writer comes first: it makes a database of the file.
            let writer = first_of_sqlite(url).await?;
            let mut options = sqlite(url);
            options.max_connections(SQLITE_READERS);
            Ok(Self { reader: Database::connect(options).await?, writer: Writer::Sqlite(writer) })
        } else {
            Ok(Self { reader: Database::connect(postgres(url, connections)).await?, writer: Writer::Postgres })
        }
    }

    /// Begins a write transaction. On SQLite it holds the write lock from the start, so it never fails half-way.
    pub async fn write(&self) -> Result<WriteTx, DbErr> {
        match &self.writer {
            Writer::Sqlite(group) => group.begin().await.map(|(tx, turn)| WriteTx { tx, turn: Some(turn) }),
            Writer::Postgres => Ok(WriteTx { tx: self.reader.begin().await?, turn: None }),
        }
    }

    /// Brings the schema up to date. Safe to run from several servers at once: they take turns.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        let tx = self.write().await?;
        if tx.tx.get_database_backend() == DbBackend::Postgres {
            // Migrations of a large database take their time, and so does waiting for another server's.
            tx.tx.execute_unprepared("SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(7331203)").await?;
        }
        Migrator::up(&tx.tx, None).await?;
        tx.commit().await
    }
}

/// Whether the database refused only for now: nothing was written, and the same request can work the next time.
pub fn may_work_again(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return matches!(error, DbErr::ConnectionAcquire(_));
    };
    match cause.as_ref() {
        sqlx::Error::PoolTimedOut => true,
        // PostgreSQL: serialization failure, deadlock, lock or statement timeout, too many connections; SQLite: busy.
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| ["40001", "40P01", "55P03", "57014", "53300", "5"].contains(&code.as_ref()))
        }
        _ => false,
    }
}

/// Turning a new file into a database waits for nobody: where several servers come to it at once, all but one are refused at first.
async fn first_of_sqlite(url: &str) -> Result<GroupCommit, DbErr> {
    let until = tokio::time::Instant::now() + SQLITE_BUSY_TIMEOUT;
    loop {
        match GroupCommit::connect(sqlite(url)).await {
            Err(error) if may_work_again(&error) && tokio::time::Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            done => return done,
        }
    }
}

/// SQLite would make a file that everybody may read. What it keeps beside it has the mode of the file.
fn make_private(url: &str) {
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    if let (false, Ok(options)) = (in_memory, url.parse::<sqlx::sqlite::SqliteConnectOptions>()) {
        private::make_file(options.get_filename());
    }
}

fn sqlite(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.to_owned());
    options.sqlx_logging(false).map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .create_if_missing(true)
            .pragma("journal_mode", "WAL")
            // A commit that was answered must survive a power cut: engines drop their copy after it.
            .pragma("synchronous", "FULL")
            .pragma("foreign_keys", "ON")
            .busy_timeout(SQLITE_BUSY_TIMEOUT)
    });
    options
}

fn postgres(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.to_owned());
    options
        .sqlx_logging(false)
        .max_connections(connections)
        .test_before_acquire_if_idle_for(POSTGRES_TRUSTED_FOR)
        .statement_timeout(POSTGRES_STATEMENT_TIMEOUT)
        .map_sqlx_postgres_opts(|postgres| {
            let idle = POSTGRES_IDLE_IN_TRANSACTION.as_millis();
            // Each statement is planned once a connection. What they look for lies behind keys and partial indexes whatever the
            // parameters are, and planning a claim anew takes longer than carrying it out.
            postgres.application_name("offpeak-server").options([
                ("idle_in_transaction_session_timeout", idle.to_string().as_str()),
                ("plan_cache_mode", "force_generic_plan"),
            ])
        });
    options
}
