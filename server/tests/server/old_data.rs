//! What was there before people and scopes works on.

use offpeak_api::access::Scope;
use offpeak_migrations::{Migrator, MigratorTrait};
use offpeak_server::{
    auth::{self, Caller},
    db::Db,
};
use sea_orm::{ConnectionTrait, Statement};

use crate::{database::Database, harness::START};

#[tokio::test]
async fn a_token_from_before_scopes_may_what_it_could() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::start(folder.path());
    let db = Db::connect(&database.url(), 4).await.unwrap();
    let before = Migrator::migrations().iter().position(|migration| migration.name() == "m0007_people").unwrap();
    let tx = db.write().await.unwrap();
    Migrator::up(&tx.tx, Some(u32::try_from(before).unwrap())).await.unwrap();
    let team = "team_01J8ZC5V2M0N6QW3T7RX9KPEHD";
    let rows = [
        format!("INSERT INTO team (id, name, weight, created_at_ms) VALUES ('{team}', 'default', 1, 0)"),
        format!(
            "INSERT INTO token (id, team_id, kind, name, hash, created_at_ms) VALUES \
             ('token_01J8ZC5V2M0N6QW3T7RX9KPEHD', '{team}', 'program', 'old', '{}', 0)",
            auth::hash_secret("ofp_old")
        ),
    ];
    for row in rows {
        tx.tx.execute_raw(Statement::from_string(tx.tx.get_database_backend(), row)).await.unwrap();
    }
    tx.commit().await.unwrap();
    db.migrate().await.unwrap();

    let caller = auth::store::find_caller(&db.reader, &auth::hash_secret("ofp_old"), START).await.unwrap();
    let Some(Caller::Team(auth)) = caller else { panic!("{caller:?}") };
    for scope in Scope::ALL {
        assert_eq!(auth.scopes.has(scope), scope != Scope::Admin, "{scope:?}");
    }
    let tx = db.write().await.unwrap();
    let farm = auth::store::default_team(&tx.tx, START).await.unwrap();
    assert_eq!(farm.as_str(), team, "the machines are filed where they were");
}
