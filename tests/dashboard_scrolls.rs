//! Lists of 10,000 jobs and 1,000 machines scroll, in a real browser: only rows in sight are drawn, and they are the right ones, at
//! the head, in the middle, at the end, and under the filters of an address. `browser/dashboard-scrolls.mjs` is the reader.

use std::time::Duration;

use offpeak_api::job::JobSource;
use offpeak_tests::{browser::Person, system::System};
use reqwest::{Method, StatusCode};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, TransactionTrait};
use serde_json::{Value, json};

/// Ten thousand jobs are read page by page, on a machine that builds something else at the same time.
const LIMIT: Duration = Duration::from_secs(600);
const JOBS: usize = 10_000;
const CANCELLED: usize = 25;
const MACHINES: usize = 1000;

#[tokio::test]
async fn long_lists_scroll() {
    let system = System::start(0).await;
    fill(&system).await;
    let setup = system.server_says(&["people", "setup"]);
    let link = setup.lines().find(|line| line.contains("/setup?code=")).expect("a link").trim().to_owned();
    let server = system.client.server().as_str().trim_end_matches('/').to_owned();
    let folder = system.scratch().display().to_string();
    let counts = [JOBS, CANCELLED, MACHINES].map(|count| count.to_string());
    let [jobs, cancelled, machines] = counts.each_ref().map(String::as_str);
    let mut reader = Person::at_work("dashboard-scrolls.mjs", &[&server, &link, &folder, jobs, cancelled, machines], LIMIT);
    assert_eq!(reader.asks().await, None, "it only reads");
    reader.is_content().await;
}

/// Makes a waiting job, a cancelled one and a machine as programs do, and writes the rest as copies of their rows: by requests it
/// would take minutes.
async fn fill(system: &System) {
    let client = &system.client;
    let source = client.upload_bytes("no film".into()).await;
    let cancelled = client.create_job(JobSource::Upload(source.clone()), "hls-h264").await.id.to_string();
    let answer = client.request(Method::POST, &format!("/v1/jobs/{cancelled}/cancel")).send().await.expect("an answer");
    assert!(answer.status().is_success(), "cancel {cancelled}: {}", answer.status());
    let waiting = client.create_job(JobSource::Upload(source), "hls-h264").await.id.to_string();
    let code = client.request(Method::POST, "/v1/enrolment-codes").json(&json!({ "name": "many" }));
    let code: Value = code.send().await.expect("an answer").json().await.expect("a code");
    let machine = json!({ "code": code["code"], "name": "machine-0000" });
    let answer = client.anonymous(Method::POST, "/v1/agents/enrol").json(&machine).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::CREATED);
    let enrolled: Value = answer.json().await.expect("an agent");
    let machine = enrolled["agent_id"].as_str().expect("an id");

    let database = Database::connect(format!("sqlite://{}", system.database().display())).await.expect("the server's database");
    copy(&database, "job", &cancelled, CANCELLED - 1, ("metadata", r#"printf('{"title":"left-%05d"}', n)"#)).await;
    copy(&database, "job", &waiting, JOBS - CANCELLED - 1, ("metadata", r#"printf('{"title":"reel-%05d"}', n)"#)).await;
    copy(&database, "agent", machine, MACHINES - 1, ("name", "printf('machine-%04d', n)")).await;
    database.close().await.expect("it was open");
}

/// Adds `count` copies of a row, numbered from 1 by `n`, with ids of the same moment in that order and one column of their own.
async fn copy(database: &DatabaseConnection, table: &str, id: &str, count: usize, (column, value): (&str, &str)) {
    let sql = format!("SELECT name FROM pragma_table_info('{table}')");
    let rows = database.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.expect("the table's columns");
    let columns: Vec<String> = rows.iter().map(|row| row.try_get("", "name").expect("a name")).collect();
    assert!(columns.iter().any(|name| name == column), "{table} has no {column}");
    let values = columns.iter().map(|name| match name.as_str() {
        // A ULID is ten characters of time and sixteen that only have to be different.
        "id" => "substr(id, 1, instr(id, '_') + 10) || printf('%016d', n)".to_owned(),
        name if name == column => value.to_owned(),
        name => name.to_owned(),
    });
    let values: Vec<String> = values.collect();
    let sql = format!(
        "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count}) \
         INSERT INTO {table} ({}) SELECT {} FROM {table}, number WHERE id = '{id}'",
        columns.join(", "),
        values.join(", "),
    );
    let transaction = database.begin().await.expect("a transaction");
    let written = transaction.execute_unprepared(&sql).await.expect("copies are written").rows_affected();
    transaction.commit().await.expect("copies are kept");
    assert_eq!(written, count as u64, "copies of {id}");
}
