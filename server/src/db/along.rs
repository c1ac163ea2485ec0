//! A statement that goes along with whatever a task commits: how a layer around a handler learns, beyond doubt, whether the
//! handler did something before the process died.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, sea_query::UpdateStatement};

tokio::task_local! {
    static ALONG: Arc<UpdateStatement>;
}

/// Everything that `work` commits in its own task carries the statement. Where that finds no row any more, nothing is
/// committed.
pub async fn along<T>(statement: UpdateStatement, work: impl Future<Output = T>) -> T {
    ALONG.scope(Arc::new(statement), work).await
}

/// Called before each commit.
pub(super) async fn carry(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    let Ok(statement) = ALONG.try_with(Arc::clone) else { return Ok(()) };
    match tx.execute(&*statement).await?.rows_affected() {
        0 => Err(DbErr::Custom("another server has taken over this request".to_owned())),
        _ => Ok(()),
    }
}
