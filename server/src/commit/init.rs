//! Init segments: the first commit pins a rendition's, later ones must agree with it ([`super::votes`]).

use offpeak_api::{
    lease::{InitReport, ObjectName},
    work::AUDIO_SAMPLE_RATE,
};
use sea_orm::ConnectionTrait;

use super::{is_sha256, store};
use crate::{
    entity::{lease, rendition, task},
    error::ApiError,
    lease::{TaskKind, http as lease_http},
};

/// A longest `codecs` of one track: `avc1.64001f` has 11 characters, AV1's long form 32.
const LONGEST_CODECS: usize = 64;
const LONGEST_FINGERPRINT: usize = 128;
/// An edit list skips an encoder's delay: well under a second. A minute at the largest timescale fits into 32 bits.
const MOST_MEDIA_TIME: u64 = u32::MAX as u64;

/// Pins a rendition's first init segment. That a later one is the same was checked before ([`super::votes`]).
pub async fn take(
    tx: &impl ConnectionTrait,
    lease: &lease::Model,
    task: &task::Model,
    rendition: &rendition::Model,
    init: Option<&InitReport>,
) -> Result<(), ApiError> {
    match (store::pinned_init(rendition)?, init) {
        (None, None) => {
            Err(ApiError::unfit("no_init", format!("The first commit of {} needs its init segment.", rendition.name)))
        }
        (None, Some(init)) => {
            let name = ObjectName::Init { rendition: rendition.name.clone() };
            let key = lease_http::object_key(lease, task, &name, init.attempt)?;
            store::pin_init(tx, rendition, init, key.as_str(), &lease.agent_id).await
        }
        (Some(_), _) => Ok(()),
    }
}

/// True when all of these init segments are pinned already, as they are.
pub fn are_pinned(renditions: &[rendition::Model], inits: &[InitReport]) -> Result<bool, ApiError> {
    for init in inits {
        let Some(rendition) = renditions.iter().find(|rendition| rendition.name == init.rendition) else { continue };
        if store::pinned_init(rendition)?.is_none_or(|pinned| pinned.fingerprint != init.fingerprint) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What an init segment says ends up in playlists as it is.
pub fn check_plausible(task: &task::Model, init: &InitReport) -> Result<(), ApiError> {
    let names_codecs = |text: &str| {
        (1..=LONGEST_CODECS).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
    };
    let of_audio = task.kind == TaskKind::Audio.as_str();
    let rules = [
        (names_codecs(&init.codecs), "codecs"),
        (is_sha256(&init.sha256), "sha256"),
        ((1..=LONGEST_FINGERPRINT).contains(&init.fingerprint.len()), "fingerprint"),
        (init.media_time <= MOST_MEDIA_TIME, "media_time"),
        (if of_audio { init.timescale == AUDIO_SAMPLE_RATE } else { init.timescale > 0 }, "timescale"),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        None => Ok(()),
        Some((_, field)) => {
            Err(ApiError::unfit("bad_init", format!("`{field}` of the init segment of {} cannot be true.", init.rendition)))
        }
    }
}
