//! Tokens, teams and enrolment codes on the command line.

use crate::{fake::Fake, run};

#[tokio::test]
async fn tokens_are_listed_made_and_revoked() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let made =
        run(&fake, folder.path(), &["tokens", "create", "intranet", "--scope", "jobs:read,jobs:write", "--expires", "30"]).await;
    assert_eq!((made.code, made.stdout.as_str()), (Some(0), "ofp_secret\n"), "only the secret, for a script: {made:?}");
    assert!(made.stderr.contains("told this once"), "{made:?}");
    let list = run(&fake, folder.path(), &["tokens"]).await;
    let table = "ID                                NAME      LAST USED   EXPIRES  SCOPES\n\
                 token_01J8ZC5V2M0N6QW3T7RX9KPEHD  intranet  1970-01-01  never    jobs:read,jobs:write\n";
    assert_eq!(list.stdout, table);
    let gone = run(&fake, folder.path(), &["tokens", "revoke", "token_01J8ZC5V2M0N6QW3T7RX9KPEHD"]).await;
    assert_eq!((gone.code, gone.stdout.as_str()), (Some(0), "token_01J8ZC5V2M0N6QW3T7RX9KPEHD revoked\n"));
    let wrong = run(&fake, folder.path(), &["tokens", "create", "x", "--scope", "jobs"]).await;
    assert!(wrong.code == Some(2) && wrong.stderr.contains("jobs:read"), "{wrong:?}");
    let asked = fake.world().fleet.changes.clone();
    assert_eq!(
        asked,
        [
            r#"POST /v1/tokens {"name":"intranet","scopes":["jobs:read","jobs:write"],"expires_in_days":30}"#,
            "DELETE /v1/tokens/token_01J8ZC5V2M0N6QW3T7RX9KPEHD "
        ]
    );
}

#[tokio::test]
async fn machines_are_invited_into_a_group_by_its_name() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let studio = {
        let mut world = fake.world();
        world.fleet.group("Everybody");
        world.fleet.group("Studio")
    };
    let made = run(&fake, folder.path(), &["enrol-code", "--uses", "20", "--hours", "8", "--group", "Studio"]).await;
    assert_eq!((made.code, made.stdout.as_str()), (Some(0), "ofe_code\n"), "{made:?}");
    let asked = fake.world().fleet.changes.clone();
    assert_eq!(asked, [format!(r#"POST /v1/enrolment-codes {{"group":"{studio}","uses":20,"expires_in_hours":8}}"#)]);
    let teams = run(&fake, folder.path(), &["teams"]).await;
    assert_eq!(teams.stdout, "ID                               NAME     WEIGHT\nteam_01J8ZC5V2M0N6QW3T7RX9KPEHD  default  1.5\n");
}
