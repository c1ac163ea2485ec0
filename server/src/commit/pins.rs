//! SQL of what is pinned, of votes against it, and of beginning again.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Statement,
    sea_query::{Expr, OnConflict},
};

use super::store;
use crate::{
    clock::Instant,
    entity::{build_seen, failure, init_vote, job, lease, rendition, segment},
    error::ApiError,
    finish::failure::INIT_MISMATCH,
    lease::{LeaseEvent, LeaseState},
};

/// Notes that an agent made another init segment than the pinned one.
pub async fn insert_vote(
    tx: &impl ConnectionTrait,
    rendition: &rendition::Model,
    agent: &str,
    build: &str,
    fingerprint: &str,
) -> Result<(), ApiError> {
    use init_vote::Column::{AgentId, Epoch, JobId, Rendition};
    let row = init_vote::ActiveModel {
        job_id: Set(rendition.job_id.clone()),
        rendition: Set(rendition.name.clone()),
        epoch: Set(rendition.epoch),
        agent_id: Set(agent.to_owned()),
        build: Set(build.to_owned()),
        fingerprint: Set(fingerprint.to_owned()),
    };
    init_vote::Entity::insert(row)
        .on_conflict(OnConflict::columns([JobId, Rendition, Epoch, AgentId]).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Fingerprints that agents of this build had instead of the pinned one, one for each agent.
pub async fn votes_on(db: &impl ConnectionTrait, rendition: &rendition::Model, build: &str) -> Result<Vec<String>, ApiError> {
    Ok(init_vote::Entity::find()
        .select_only()
        .column(init_vote::Column::Fingerprint)
        .filter(init_vote::Column::JobId.eq(rendition.job_id.as_str()))
        .filter(init_vote::Column::Rendition.eq(rendition.name.as_str()))
        .filter(init_vote::Column::Epoch.eq(rendition.epoch))
        .filter(init_vote::Column::Build.eq(build))
        .into_tuple()
        .all(db)
        .await?)
}

/// How many agents committed segments of the rendition: each of them had its init segment.
pub async fn makers_of(db: &impl ConnectionTrait, rendition: &rendition::Model) -> Result<usize, ApiError> {
    let agents: Vec<String> = lease::Entity::find()
        .select_only()
        .column(lease::Column::AgentId)
        .filter(lease::Column::Id.is_in(leases_of(db, rendition).await?))
        .into_tuple()
        .all(db)
        .await?;
    Ok(agents.into_iter().collect::<BTreeSet<_>>().len())
}

/// Leases under which segments of the rendition were committed.
async fn leases_of(db: &impl ConnectionTrait, rendition: &rendition::Model) -> Result<Vec<String>, ApiError> {
    Ok(segment::Entity::find()
        .select_only()
        .column(segment::Column::LeaseId)
        .distinct()
        .filter(segment::Column::JobId.eq(rendition.job_id.as_str()))
        .filter(segment::Column::Rendition.eq(rendition.name.as_str()))
        .into_tuple()
        .all(db)
        .await?)
}

/// The rendition has nothing from now on. What was uploaded for it is swept a day from now, as if its leases had been lost.
pub async fn begin_again(tx: &impl ConnectionTrait, rendition: &rendition::Model, now: Instant) -> Result<(), ApiError> {
    let leases = leases_of(tx, rendition).await?;
    let committed = store::committed_of(tx, std::slice::from_ref(&rendition.job_id)).await?;
    let committed = committed.get(&(rendition.job_id.clone(), rendition.name.clone()));
    let (segments, frames, bytes) = committed.map_or((0, 0, 0), |made| (made.segments, made.frames, made.bytes));
    if let Some(lost) = LeaseState::Completed.after(LeaseEvent::Abandon) {
        lease::Entity::update_many()
            .col_expr(lease::Column::State, Expr::value(lost.as_str()))
            .col_expr(lease::Column::EndedAtMs, Expr::value(now.ms()))
            .filter(lease::Column::Id.is_in(leases))
            .exec(tx)
            .await?;
    }
    segment::Entity::delete_many()
        .filter(segment::Column::JobId.eq(rendition.job_id.as_str()))
        .filter(segment::Column::Rendition.eq(rendition.name.as_str()))
        .exec(tx)
        .await?;
    let row = rendition::ActiveModel {
        job_id: Set(rendition.job_id.clone()),
        name: Set(rendition.name.clone()),
        epoch: Set(rendition.epoch + 1),
        init: Set(None),
        init_key: Set(None),
        init_agent_id: Set(None),
        // What people were shown does not go back.
        kept_segments: Set(rendition.kept_segments.max(i32::try_from(segments).unwrap_or(i32::MAX))),
        kept_frames: Set(rendition.kept_frames.max(frames)),
        kept_bytes: Set(rendition.kept_bytes.max(bytes)),
        ..Default::default()
    };
    rendition::Entity::update(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Whoever disagreed before may take part again.
pub async fn forget_mismatches(tx: &impl ConnectionTrait, job: &str) -> Result<(), ApiError> {
    forget_votes(tx, job).await?;
    failure::Entity::delete_many()
        .filter(failure::Column::JobId.eq(job))
        .filter(failure::Column::Code.eq(INIT_MISMATCH))
        .exec(tx)
        .await?;
    Ok(())
}

pub async fn forget_votes(tx: &impl ConnectionTrait, job: &str) -> Result<(), ApiError> {
    init_vote::Entity::delete_many().filter(init_vote::Column::JobId.eq(job)).exec(tx).await?;
    Ok(())
}

/// In so many words, and not as parameters: the index of pinned jobs is a partial one.
const IS_PINNED: &str = "state = 'encoding' AND build IS NOT NULL";

/// The builds of ffmpeg that jobs at work are pinned to.
pub async fn pinned_builds(db: &impl ConnectionTrait) -> Result<Vec<String>, ApiError> {
    let builds = job::Entity::find().select_only().column(job::Column::Build).distinct().filter(Expr::cust(IS_PINNED));
    Ok(builds.into_tuple().all(db).await?)
}

/// Jobs at work that are pinned to a build.
pub async fn jobs_pinned_to(db: &impl ConnectionTrait, build: &str) -> Result<Vec<String>, ApiError> {
    let jobs = job::Entity::find().select_only().column(job::Column::Id).filter(Expr::cust(IS_PINNED));
    Ok(jobs.filter(job::Column::Build.eq(build)).into_tuple().all(db).await?)
}

/// When an agent that gets work was last heard of, by build. Goes over all agents.
pub async fn builds_heard_of(db: &impl ConnectionTrait) -> Result<HashMap<String, Instant>, ApiError> {
    #[derive(FromQueryResult)]
    struct Row {
        build: Option<String>,
        seen_at_ms: i64,
    }
    let build = match db.get_database_backend() {
        DbBackend::Postgres => "capabilities #>> '{ffmpeg}'",
        _ => "json_extract(capabilities, '$.ffmpeg')",
    };
    let sql = format!(
        "SELECT {build} AS build, max(last_seen_at_ms) AS seen_at_ms FROM agent \
         WHERE standing = 'active' AND capabilities IS NOT NULL GROUP BY {build}"
    );
    let rows = Row::find_by_statement(Statement::from_string(db.get_database_backend(), sql)).all(db).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.build?, Instant(row.seen_at_ms)))).collect())
}

pub async fn build_seen(db: &impl ConnectionTrait, build: &str) -> Result<Option<Instant>, ApiError> {
    Ok(build_seen::Entity::find_by_id(build.to_owned()).one(db).await?.map(|row| Instant(row.seen_at_ms)))
}

pub async fn set_build_seen(tx: &impl ConnectionTrait, build: &str, at: Instant) -> Result<(), ApiError> {
    let row = build_seen::ActiveModel { build: Set(build.to_owned()), seen_at_ms: Set(at.ms()) };
    let known = OnConflict::column(build_seen::Column::Build).update_column(build_seen::Column::SeenAtMs).to_owned();
    build_seen::Entity::insert(row).on_conflict(known).exec_without_returning(tx).await?;
    Ok(())
}

/// After an outage of the server, no agent could be heard of.
pub async fn all_builds_seen(tx: &impl ConnectionTrait, at: Instant) -> Result<(), ApiError> {
    build_seen::Entity::update_many().col_expr(build_seen::Column::SeenAtMs, Expr::value(at.ms())).exec(tx).await?;
    Ok(())
}
