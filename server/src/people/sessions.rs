//! Sessions: a secret in a cookie, its hash in the database.

use std::time::Duration;

use axum::http::{HeaderMap, header};
use offpeak_api::{
    ids::{PersonId, SessionId},
    people::OpenSession,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, JoinType, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};

use super::{SESSION_IDLE, SESSION_LIFETIME, store};
use crate::{
    app::App,
    auth::{hash_secret, person::PersonAuth, random_name},
    clock::Instant,
    entity::{person, session},
    error::ApiError,
    teams,
};

/// Its use is noted this often: near enough for an idle time of a day.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);
/// Browsers use half of it.
const LONGEST_USER_AGENT: usize = 300;

#[derive(Debug, FromQueryResult)]
struct Found {
    person_id: String,
    used_at_ms: i64,
    expires_at_ms: i64,
    role: String,
    disabled: bool,
}

/// Who has this session, if it lives.
pub async fn find(app: &App, secret: &str) -> Result<Option<PersonAuth>, ApiError> {
    let (now, hash) = (app.clock.now(), hash_secret(secret));
    let person_of = session::Entity::belongs_to(person::Entity).from(session::Column::PersonId).to(person::Column::Id);
    let found = session::Entity::find()
        .select_only()
        .columns([session::Column::PersonId, session::Column::UsedAtMs, session::Column::ExpiresAtMs])
        .columns([person::Column::Role, person::Column::Disabled])
        .join(JoinType::InnerJoin, person_of.into())
        .filter(session::Column::Hash.eq(hash.as_str()))
        .into_model::<Found>()
        .one(&app.db.reader)
        .await?;
    let lives =
        |found: &Found| !found.disabled && found.expires_at_ms > now.ms() && now.since(Instant(found.used_at_ms)) < SESSION_IDLE;
    let Some(found) = found.filter(lives) else { return Ok(None) };
    let person_id: PersonId = found.person_id.parse().map_err(ApiError::internal)?;
    if now.since(Instant(found.used_at_ms)) >= USE_NOTED_EVERY {
        note_use(app, hash.clone(), person_id.clone(), now);
    }
    Ok(Some(PersonAuth {
        role: offpeak_api::people::Role::parse(&found.role).ok_or_else(|| ApiError::internal("an unknown role"))?,
        teams: teams::store::of_person(&app.db.reader, &person_id).await?,
        person_id,
        session: hash,
        expires_at: Instant(found.expires_at_ms),
    }))
}

/// Beside the request, which does not wait for it.
fn note_use(app: &App, hash: String, person: PersonId, now: Instant) {
    let app = app.clone();
    tokio::spawn(async move {
        let noted = async {
            let tx = app.db.write().await?;
            session::Entity::update_many()
                .col_expr(session::Column::UsedAtMs, Expr::value(now.ms()))
                .filter(session::Column::Hash.eq(hash))
                .filter(session::Column::UsedAtMs.lt(now.ms()))
                .exec(&tx.tx)
                .await?;
            store::note_seen(&tx.tx, &person, now).await?;
            tx.commit().await.map_err(ApiError::from)
        };
        if let Err(error) = noted.await {
            tracing::warn!(person.id = %person, %error, "the use of a session was not noted");
        }
    });
}

/// What a browser says that it is, as far as it is worth keeping.
fn user_agent(headers: &HeaderMap) -> Option<String> {
    let told = headers.get(header::USER_AGENT)?.to_str().ok()?.trim();
    (!told.is_empty()).then(|| told.chars().take(LONGEST_USER_AGENT).collect())
}

/// Begins a session for whoever sent these headers; the cookie's secret, and when it ends.
pub async fn begin(
    tx: &impl ConnectionTrait,
    person: &PersonId,
    headers: &HeaderMap,
    now: Instant,
) -> Result<(String, Instant), ApiError> {
    let secret = format!("ofs_{}", random_name(52));
    let expires = now + SESSION_LIFETIME;
    let row = session::Model {
        hash: hash_secret(&secret),
        person_id: person.to_string(),
        created_at_ms: now.ms(),
        used_at_ms: now.ms(),
        expires_at_ms: expires.ms(),
        user_agent: user_agent(headers),
    };
    session::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    store::note_seen(tx, person, now).await?;
    Ok((secret, expires))
}

/// The name of a session, made of its hash: what is kept of a secret is told to nobody.
fn id_of(hash: &str) -> Result<SessionId, ApiError> {
    let digest = u128::from_str_radix(&hash_secret(hash)[..32], 16).map_err(ApiError::internal)?;
    format!("{}_{}", SessionId::PREFIX, ulid::Ulid(digest)).parse().map_err(ApiError::internal)
}

/// A person's sessions that can still be used: `current`, which asks, and then the one that was used last.
pub async fn open(
    db: &impl ConnectionTrait,
    person: &PersonId,
    current: &str,
    now: Instant,
) -> Result<Vec<OpenSession>, ApiError> {
    let idle_since = now.ms() - i64::try_from(SESSION_IDLE.as_millis()).unwrap_or(i64::MAX);
    let rows = session::Entity::find()
        .filter(session::Column::PersonId.eq(person.as_str()))
        .filter(session::Column::ExpiresAtMs.gt(now.ms()))
        .filter(session::Column::UsedAtMs.gt(idle_since))
        .order_by_desc(session::Column::UsedAtMs)
        .order_by_asc(session::Column::Hash)
        .all(db)
        .await?;
    let told = |row: session::Model| {
        Ok(OpenSession {
            id: id_of(&row.hash)?,
            is_current: row.hash == current,
            created_at: Instant(row.created_at_ms).to_utc(),
            last_used_at: Instant(row.used_at_ms).to_utc(),
            expires_at: Instant(row.expires_at_ms).to_utc(),
            user_agent: row.user_agent,
        })
    };
    let mut sessions: Vec<OpenSession> = rows.into_iter().map(told).collect::<Result<_, ApiError>>()?;
    sessions.sort_by_key(|session| !session.is_current);
    Ok(sessions)
}

/// Ends a session of a person by its name; whether there was one.
pub async fn end_one(tx: &impl ConnectionTrait, person: &PersonId, id: &SessionId) -> Result<bool, ApiError> {
    let rows: Vec<String> = session::Entity::find()
        .select_only()
        .column(session::Column::Hash)
        .filter(session::Column::PersonId.eq(person.as_str()))
        .into_tuple()
        .all(tx)
        .await?;
    for hash in rows {
        if id_of(&hash)? == *id {
            end(tx, &hash).await?;
            return Ok(true);
        }
    }
    Ok(false)
}

pub async fn end(tx: &impl ConnectionTrait, session: &str) -> Result<(), ApiError> {
    session::Entity::delete_by_id(session.to_owned()).exec(tx).await?;
    Ok(())
}

/// Ends all sessions of a person but that one, if there is one to keep.
pub async fn end_all(tx: &impl ConnectionTrait, person: &PersonId, but: Option<&str>) -> Result<(), ApiError> {
    let mut others = session::Entity::delete_many().filter(session::Column::PersonId.eq(person.as_str()));
    if let Some(but) = but {
        others = others.filter(session::Column::Hash.ne(but));
    }
    others.exec(tx).await?;
    Ok(())
}
