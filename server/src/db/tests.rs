#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{Db, POSTGRES_CONNECTIONS};

/// A database with one table of numbers.
async fn numbers() -> (Db, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::connect(&url(&folder), POSTGRES_CONNECTIONS).await.unwrap();
    let tx = db.write().await.unwrap();
    tx.tx.execute_unprepared("CREATE TABLE number (n INTEGER PRIMARY KEY)").await.unwrap();
    tx.commit().await.unwrap();
    (db, folder)
}

fn url(folder: &TempDir) -> String {
    format!("sqlite://{}", folder.path().join("test.db").display())
}

async fn insert(db: &impl ConnectionTrait, n: u32) -> Result<(), DbErr> {
    db.execute_unprepared(&format!("INSERT INTO number VALUES ({n})")).await.map(|_| ())
}

async fn add(db: &Db, n: u32) -> Result<(), DbErr> {
    let tx = db.write().await?;
    insert(&tx.tx, n).await?;
    tx.commit().await
}

async fn all(db: &impl ConnectionTrait) -> Vec<u32> {
    let select = sea_orm::Statement::from_string(db.get_database_backend(), "SELECT n FROM number ORDER BY n");
    db.query_all_raw(select).await.unwrap().iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_lose_nothing_and_each_sees_its_own_at_once() {
    let (db, folder) = numbers().await;
    let mut writers = JoinSet::new();
    for n in 0..300 {
        let db = db.clone();
        writers.spawn(async move {
            add(&db, n).await.unwrap();
            // Readers use other connections: what was answered is committed, not only written.
            assert!(all(&db.reader).await.contains(&n), "{n}");
        });
    }
    writers.join_all().await;
    // So does another process.
    let other = Db::connect(&url(&folder), POSTGRES_CONNECTIONS).await.unwrap();
    assert_eq!(all(&other.reader).await, (0..300).collect::<Vec<_>>());
    tokio::time::timeout(Duration::from_secs(5), add(&other, 300)).await.expect("no group holds the lock").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fails_or_goes_takes_back_only_its_own() {
    let (db, _folder) = numbers().await;
    let mut writers = JoinSet::new();
    for n in 0..300 {
        let db = db.clone();
        writers.spawn(async move {
            match n % 3 {
                0 => add(&db, n).await.unwrap(),
                // A statement that fails after one that did not.
                1 => {
                    let tx = db.write().await.unwrap();
                    insert(&tx.tx, n).await.unwrap();
                    insert(&tx.tx, n).await.expect_err("a number is there once");
                }
                _ => {
                    let tx = db.write().await.unwrap();
                    insert(&tx.tx, n).await.unwrap();
                    drop(tx);
                }
            }
        });
    }
    writers.join_all().await;
    assert_eq!(all(&db.reader).await, (0..300).step_by(3).collect::<Vec<_>>());
}

/// A request can be dropped at any `await`. Cut after any count of polls, a writer is in as a whole or not at all, and nobody
/// else feels it.
#[tokio::test(flavor = "multi_thread")]
async fn a_writer_cut_off_anywhere_harms_nobody() {
    let (db, _folder) = numbers().await;
    let mut writers = JoinSet::new();
    for n in 0..400 {
        let db = db.clone();
        writers.spawn(async move {
            let pair = async {
                let tx = db.write().await?;
                insert(&tx.tx, 2 * n).await?;
                insert(&tx.tx, 2 * n + 1).await?;
                tx.commit().await
            };
            if n % 2 == 0 {
                pair.await.unwrap();
            } else {
                let _cut_off = cut_after(n / 2 % 20, pair).await;
            }
        });
    }
    writers.join_all().await;
    // A last writer, after all that is still being cleaned up.
    add(&db, 1000).await.unwrap();
    let found = all(&db.reader).await;
    for n in 0..400 {
        let (first, second) = (found.contains(&(2 * n)), found.contains(&(2 * n + 1)));
        assert_eq!(first, second, "half of {n}");
        assert!(first || n % 2 == 1, "{n} was answered, and is gone");
    }
}

/// Polls a future so many times and drops it, unless it is done before.
async fn cut_after<T>(polls: u32, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| match left.checked_sub(1) {
        None => std::task::Poll::Ready(None),
        Some(fewer) => {
            left = fewer;
            future.as_mut().poll(context).map(Some)
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_is_told_to_all_and_the_next_one_works() {
    let (db, _folder) = numbers().await;
    // A deferred foreign key is checked at the group's commit alone, as a full disk would be.
    let tx = db.write().await.unwrap();
    tx.tx.execute_unprepared("CREATE TABLE child (n INTEGER REFERENCES number (n) DEFERRABLE INITIALLY DEFERRED)").await.unwrap();
    tx.commit().await.unwrap();
    let bad = {
        let tx = db.write().await.unwrap();
        tx.tx.execute_unprepared("INSERT INTO child VALUES (77)").await.unwrap();
        tx
    };
    let beside = tokio::spawn({
        let db = db.clone();
        async move { add(&db, 1).await }
    });
    tokio::task::yield_now().await;
    assert!(bad.commit().await.is_err());
    // In the same group or, had it come too late, in the next.
    let told = beside.await.unwrap();
    assert_eq!(all(&db.reader).await.contains(&1), told.is_ok());
    add(&db, 2).await.unwrap();
    assert!(all(&db.reader).await.contains(&2));
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_of_several_servers_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let url = url(&folder);
    let mut servers = JoinSet::new();
    for _ in 0..4 {
        let url = url.clone();
        servers.spawn(async move { Db::connect(&url, POSTGRES_CONNECTIONS).await.unwrap().migrate().await });
    }
    for result in servers.join_all().await {
        result.unwrap();
    }
}

/// It holds keys.
#[cfg(unix)]
#[tokio::test]
async fn the_file_and_what_lies_beside_it_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let (db, folder) = numbers().await;
    add(&db, 1).await.unwrap();
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().permissions().mode() & 0o777)
    });
    let mut files: Vec<(String, u32)> = files.collect();
    files.sort();
    assert_eq!(files, ["test.db", "test.db-shm", "test.db-wal"].map(|name| (name.to_owned(), 0o600)));
}
