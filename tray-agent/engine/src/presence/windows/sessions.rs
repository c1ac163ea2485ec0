//! Sessions: who is logged in, at the console or from afar, and when they last touched anything.

use std::{mem::size_of, time::Duration};

use windows::{
    Win32::{
        System::{
            RemoteDesktop::{
                ProcessIdToSessionId, WTS_CURRENT_SERVER_HANDLE, WTS_SESSION_INFOW, WTSActive, WTSEnumerateSessionsW,
                WTSFreeMemory, WTSINFOEXW, WTSQuerySessionInformationW, WTSSessionInfoEx,
            },
            SystemInformation::GetTickCount,
        },
        UI::Input::KeyboardAndMouse::{GetLastInputInfo, LASTINPUTINFO},
    },
    core::PWSTR,
};

use super::{
    super::{Clock, Known, LastInput},
    FILETIME_PER_SECOND,
};

/// `WTS_SESSIONSTATE_LOCK` of WTSINFOEX_LEVEL1's flags.
const SESSION_LOCKED: i32 = 0;

/// Somebody's session, at the console or from afar.
#[derive(Debug, Clone)]
pub struct Session {
    id: u32,
    is_active: bool,
    is_locked: bool,
    user: String,
    /// Of the last input, where the session tells: those at the console do not.
    idle: Option<Duration>,
}

/// Nothing when the list, or a session in use, cannot be had: it may be the one in which somebody sits.
pub fn sessions() -> Option<Vec<Session>> {
    let (mut list, mut count) = (std::ptr::null_mut::<WTS_SESSION_INFOW>(), 0);
    // SAFETY: both places are ours; the list is freed below with the call that is meant for it.
    unsafe { WTSEnumerateSessionsW(Some(WTS_CURRENT_SERVER_HANDLE), 0, 1, &raw mut list, &raw mut count) }.ok()?;
    // SAFETY: the call above wrote so many entries.
    let infos = unsafe { std::slice::from_raw_parts(list, count as usize) };
    let asked = infos.iter().map(|info| {
        let is_active = info.State == WTSActive;
        match session(info.SessionId, is_active) {
            // Those that only listen for connections tell nothing, and nobody is in them.
            Err(_) if !is_active => Ok(None),
            asked => asked,
        }
    });
    let sessions: windows::core::Result<Vec<Option<Session>>> = asked.collect();
    // SAFETY: the list is not used after this.
    unsafe { WTSFreeMemory(list.cast()) };
    Some(sessions.ok()?.into_iter().flatten().collect())
}

/// Services and the login screen have no user, and are nobody's session.
fn session(id: u32, is_active: bool) -> windows::core::Result<Option<Session>> {
    let (mut buffer, mut bytes) = (PWSTR::null(), 0);
    // SAFETY: both places are ours; the buffer is freed below.
    unsafe {
        WTSQuerySessionInformationW(Some(WTS_CURRENT_SERVER_HANDLE), id, WTSSessionInfoEx, &raw mut buffer, &raw mut bytes)?;
    }
    let told = (bytes as usize >= size_of::<WTSINFOEXW>()).then(|| {
        // SAFETY: the buffer is at least as long as what is read, and aligned as the call allocates it.
        let info = unsafe { &*buffer.0.cast::<WTSINFOEXW>() };
        // SAFETY: level 1 is the only one there is.
        let info = unsafe { &info.Data.WTSInfoExLevel1 };
        let name_end = info.UserName.iter().position(|unit| *unit == 0).unwrap_or(info.UserName.len());
        // SAFETY: both are plain numbers.
        let (last, now) = (info.LastInputTime, info.CurrentTime);
        let idle = (last > 0).then(|| Duration::from_secs_f64((now - last).max(0) as f64 / FILETIME_PER_SECOND));
        Session {
            id,
            is_active,
            is_locked: info.SessionFlags == SESSION_LOCKED,
            user: String::from_utf16_lossy(&info.UserName[..name_end]),
            idle,
        }
    });
    // SAFETY: the buffer is not used after this.
    unsafe { WTSFreeMemory(buffer.0.cast()) };
    told.map(|told| (!told.user.is_empty()).then_some(told)).ok_or_else(windows::core::Error::empty)
}

/// The session that this process is in. Nobody sits at that of services.
fn own_session() -> Option<u32> {
    let mut own = 0;
    // SAFETY: the place for the number is ours.
    unsafe { ProcessIdToSessionId(std::process::id(), &raw mut own) }.ok()?;
    Some(own)
}

fn own_idle() -> Option<Duration> {
    let mut info = LASTINPUTINFO { cbSize: size_of::<LASTINPUTINFO>() as u32, dwTime: 0 };
    // SAFETY: the structure says its own size and lives through the call.
    unsafe { GetLastInputInfo(&raw mut info) }.as_bool().then(|| {
        // SAFETY: a system call without arguments. The counter wraps every 49 days, and so does the difference.
        let ticks = unsafe { GetTickCount() };
        Duration::from_millis(ticks.wrapping_sub(info.dwTime).into())
    })
}

/// The latest input of the own session, and of all others that are in use.
pub fn last_input(clock: &Clock, sessions: &Option<Vec<Session>>) -> Known<LastInput> {
    let Some(sessions) = sessions else { return Known::unknown("the sessions cannot be asked") };
    let own = own_session().zip(own_idle());
    match latest(own, sessions) {
        Ok(Some(idle)) => Known::new(LastInput::At(clock.ago(idle)), "GetLastInputInfo, and WTSINFOEX of other sessions"),
        Ok(None) => Known::new(LastInput::Nobody, "no session is in use"),
        Err(user) => Known::unknown(format!("{user}'s session does not tell when it was last used")),
    }
}

/// How long ago somebody touched a session that is in use; `None` when none is. `own` is the number of the session that the engine
/// is in, and when that was last touched: that is told of no other one at the console.
fn latest(own: Option<(u32, Duration)>, sessions: &[Session]) -> Result<Option<Duration>, &str> {
    let mut latest: Option<Duration> = None;
    for session in sessions.iter().filter(|session| session.is_active) {
        let of_own = own.filter(|(id, _)| *id == session.id).map(|(_, idle)| idle);
        let idle = match of_own.into_iter().chain(session.idle).min() {
            Some(idle) => idle,
            // Nobody works in it. Whoever unlocks it is seen by the next look.
            None if session.is_locked => continue,
            None => return Err(&session.user),
        };
        latest = Some(latest.map_or(idle, |before| before.min(idle)));
    }
    Ok(latest)
}

pub fn locked(sessions: &Option<Vec<Session>>) -> Known<bool> {
    match sessions {
        Some(sessions) => Known::new(
            sessions.iter().filter(|session| session.is_active).all(|session| session.is_locked),
            "WTSINFOEX of all sessions in use",
        ),
        None => Known::unknown("the sessions cannot be asked"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(id: u32, idle: Option<u64>) -> Session {
        let idle = idle.map(Duration::from_secs);
        Session { id, is_active: true, is_locked: false, user: format!("user {id}"), idle }
    }

    #[test]
    fn whoever_was_there_last_counts() {
        let own = Some((1, Duration::from_secs(60)));
        let ago = |seconds| Ok(Some(Duration::from_secs(seconds)));
        assert_eq!(latest(own, &[]), Ok(None));
        assert_eq!(latest(own, &[session(1, None)]), ago(60));
        assert_eq!(latest(own, &[session(1, None), session(2, Some(5))]), ago(5));
        let left = Session { is_active: false, ..session(2, Some(5)) };
        assert_eq!(latest(own, &[session(1, None), left]), ago(60));
    }

    #[test]
    fn a_session_that_does_not_tell_may_have_somebody_in_it() {
        // Somebody else logged in at the console: the own session was left, and the other one keeps silent.
        let own = Session { is_active: false, ..session(1, None) };
        let sessions = [own, session(2, None)];
        assert_eq!(latest(Some((1, Duration::from_secs(3600))), &sessions), Err("user 2"));
        // As a service: its own session is nobody's.
        assert_eq!(latest(Some((0, Duration::from_secs(3600))), &[session(1, None)]), Err("user 1"));
        assert_eq!(latest(None, &[session(1, None)]), Err("user 1"));
        let locked = Session { is_locked: true, ..session(2, None) };
        assert_eq!(latest(Some((0, Duration::ZERO)), &[locked]), Ok(None));
    }
}
