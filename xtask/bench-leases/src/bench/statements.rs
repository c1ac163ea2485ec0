//! Where a call's time goes in the database: PostgreSQL logs every statement of a few cycles, and this counts them.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result};
use offpeak_api::lease::Orders;
use sea_orm::ConnectionTrait;

use super::{
    agent,
    fill::Fill,
    http::Client,
    place::{Database, Place},
    prototype, report,
};

/// Of each call.
const CALLS: usize = 100;
/// So much of a statement tells which one it is.
const SHOWN: usize = 110;

/// Prints the statements of each call of a cycle, with one client and a job of a hundred spans.
pub async fn count(scratch: Option<&PathBuf>) -> Result<()> {
    let place = Place::start(Database::Postgres, scratch, 2).await?;
    let callers = prototype::enrol(&place.db, 1).await?;
    let prototype = prototype::make(&place.server, &callers, &place.side, super::SPANS).await?;
    let mut fill = Fill::of(&place.db, &prototype).await?;
    fill.up_to(10_000).await?;
    let mut http = Client::connect(place.server.address, &callers.agents[0]).await?;
    let sha256 = agent::hash_of_segment();

    let leases = log_of(&place, async {
        let mut leases = Vec::new();
        for _ in 0..CALLS {
            leases.push(agent::lease(&mut http).await?);
        }
        Ok(leases)
    });
    let (leases, log) = leases.await?;
    print("lease", &log);
    for lease in &leases {
        let segment = agent::row(agent::span(lease)?, &sha256)?;
        let name = format!("{}.m4s", segment.index);
        place.side.store(lease.job.as_str(), lease.id.as_str(), &segment.rendition, &name).await?;
    }
    let commits = log_of(&place, async {
        for lease in &leases {
            let commit = agent::commit(agent::span(lease)?, &sha256, false)?;
            http.post(&format!("/v1/leases/{}/commit", lease.id), &commit).await?.read::<Orders>()?;
        }
        Ok(())
    });
    print("commit", &commits.await?.1);
    let completions = log_of(&place, async {
        for lease in &leases {
            let done = agent::completion(agent::span(lease)?);
            http.post(&format!("/v1/leases/{}/complete", lease.id), &done).await?.read::<Orders>()?;
        }
        Ok(())
    });
    print("complete", &completions.await?.1);
    Ok(())
}

/// What PostgreSQL logs meanwhile.
async fn log_of<T>(place: &Place, calls: impl Future<Output = Result<T>>) -> Result<(T, String)> {
    let postgres = place.postgres.as_ref().context("only PostgreSQL logs its statements")?;
    let logging = async |milliseconds: i32| {
        place.db.reader.execute_unprepared(&format!("ALTER SYSTEM SET log_min_duration_statement = {milliseconds}")).await?;
        place.db.reader.execute_unprepared("SELECT pg_reload_conf()").await
    };
    let before = postgres.log().len();
    logging(0).await?;
    let done = calls.await?;
    logging(-1).await?;
    let log = postgres.log();
    Ok((done, log.get(before..).unwrap_or_default().to_owned()))
}

/// Lines such as `… LOG:  duration: 0.061 ms  execute sqlx_s_3: SELECT …`; what begins to be used is parsed and bound too.
fn print(call: &str, log: &str) {
    let mut statements: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for line in log.lines() {
        let Some((_, rest)) = line.split_once("duration: ") else { continue };
        let Some((milliseconds, rest)) = rest.split_once(" ms  ") else { continue };
        let Some((how, sql)) = rest.split_once(": ") else { continue };
        let of_statement = statements.entry(sql).or_default();
        of_statement.0 += usize::from(how.starts_with("execute") || how == "statement");
        of_statement.1 += milliseconds.parse().unwrap_or(0.0);
    }
    let mut statements: Vec<_> = statements.into_iter().filter(|(_, (times, _))| *times >= CALLS / 10).collect();
    statements.sort_by(|a, b| b.1.1.total_cmp(&a.1.1));
    let per_call = |total: f64| total / CALLS as f64;
    let (times, milliseconds) = statements.iter().fold((0, 0.0), |sum, (_, of)| (sum.0 + of.0, sum.1 + of.1));
    let title = format!("{call}: {:.1} statements, {:.2} ms in PostgreSQL", per_call(times as f64), per_call(milliseconds));
    report::head(&title, &["times a call", "ms a call", "statement"]);
    for (sql, (times, milliseconds)) in statements {
        let shown: String = sql.chars().take(SHOWN).collect::<String>().replace('|', "\\|");
        report::row(&[format!("{:.2}", per_call(times as f64)), format!("{:.3}", per_call(milliseconds)), shown]);
    }
}
