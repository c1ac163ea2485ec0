//! Windows: the last input of every session, power, memory, load, full screen, the microphone, metered networks, sleep.
//!
//! Nothing here hooks into anybody's input: Windows is asked when the last one was, five times a second while work is done.

#![expect(unsafe_code, reason = "the Windows API has no safe wrappers for what is read here")]

use std::{ffi::c_void, mem::size_of, time::Duration, time::Instant};

use windows::{
    Win32::{
        Foundation::{CloseHandle, ERROR_SUCCESS, FILETIME, HANDLE},
        Networking::NetworkListManager::{INetworkCostManager, NLM_CONNECTION_COST_UNRESTRICTED, NetworkListManager},
        System::{
            Com::{CLSCTX_ALL, COINIT_MULTITHREADED, CoCreateInstance, CoInitializeEx},
            Power::{
                CallNtPowerInformation, DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS, ES_DISPLAY_REQUIRED, GetSystemPowerStatus,
                HPOWERNOTIFY, PowerClearRequest, PowerCreateRequest, PowerRegisterSuspendResumeNotification,
                PowerRequestSystemRequired, PowerSetRequest, SYSTEM_POWER_STATUS, SystemExecutionState,
            },
            Registry::{
                HKEY, HKEY_CURRENT_USER, KEY_READ, RRF_RT_REG_QWORD, RegCloseKey, RegEnumKeyExW, RegGetValueW, RegOpenKeyExW,
            },
            RemoteDesktop::{
                ProcessIdToSessionId, WTS_CURRENT_SERVER_HANDLE, WTS_SESSION_INFOW, WTSActive, WTSEnumerateSessionsW,
                WTSFreeMemory, WTSINFOEXW, WTSQuerySessionInformationW, WTSSessionInfoEx,
            },
            SystemInformation::{GetTickCount, GlobalMemoryStatusEx, MEMORYSTATUSEX},
            Threading::{
                GetCurrentProcess, GetProcessTimes, GetSystemTimes, POWER_REQUEST_CONTEXT_SIMPLE_STRING, REASON_CONTEXT,
                REASON_CONTEXT_0,
            },
        },
        UI::{
            Input::KeyboardAndMouse::{GetLastInputInfo, LASTINPUTINFO},
            Shell::{QUNS_BUSY, QUNS_PRESENTATION_MODE, QUNS_RUNNING_D3D_FULL_SCREEN, SHQueryUserNotificationState},
            WindowsAndMessaging::{DEVICE_NOTIFY_CALLBACK, PBT_APMRESUMEAUTOMATIC, PBT_APMSUSPEND},
        },
    },
    core::{HSTRING, PWSTR, w},
};

use super::{Clock, Known, LastInput, Leaving, News, NewsSender, Power, Readings, Source, asked::Asked, load::Load, load::Used};

/// Windows tells of no input by itself.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// `WTS_SESSIONSTATE_LOCK` of WTSINFOEX_LEVEL1's flags.
const SESSION_LOCKED: i32 = 0;
/// A FILETIME counts these in a second.
const FILETIME_PER_SECOND: f64 = 1e7;

/// Windows asks nobody before it sleeps: what is held runs out by itself, or goes on afterwards.
#[derive(Debug, Clone, Copy, Default)]
pub struct DelayLock;

impl DelayLock {
    pub fn release(&self) {}
}

#[derive(Debug)]
pub struct Sources {
    load: Load,
    /// The microphone, and the network: of COM and the registry, which may take their time.
    told: Asked<(Known<bool>, Known<bool>)>,
    _sleep: SleepNews,
}

impl Sources {
    pub fn new(news: NewsSender, lock: DelayLock) -> Self {
        Self { load: Load::default(), told: Asked::default(), _sleep: SleepNews::new(news, lock) }
    }
}

impl Source for Sources {
    async fn read(&mut self, clock: &Clock, in_hand: bool) -> Readings {
        let ask = || async { tokio::task::spawn_blocking(|| (microphone(), metered())).await.unwrap_or_default() };
        let (call, metered) = self.told.look(in_hand, ask).await.clone();
        let sessions = sessions();
        let (free, total) = memory();
        Readings {
            input: last_input(clock, &sessions),
            locked: locked(&sessions),
            full_screen: full_screen(),
            inhibited: display_is_kept_on(),
            call,
            power: power(),
            metered,
            other_cpu: self.load.note(Instant::now(), used(), "GetSystemTimes, less the engine's own processes"),
            free_memory_mib: free,
            total_memory_mib: total,
            throttled: Known::unknown("Windows does not tell"),
        }
    }

    fn look_every_working(&self) -> Duration {
        LOOK_EVERY
    }
}

/// Somebody's session, at the console or from afar.
#[derive(Debug, Clone)]
struct Session {
    id: u32,
    is_active: bool,
    is_locked: bool,
    user: String,
    /// Of the last input, where the session tells: those at the console do not.
    idle: Option<Duration>,
}

/// Nothing when the list, or a session in use, cannot be had: it may be the one in which somebody sits.
fn sessions() -> Option<Vec<Session>> {
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
fn last_input(clock: &Clock, sessions: &Option<Vec<Session>>) -> Known<LastInput> {
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

/// Whether some program, for a film or a call, asks that the display stays on. The engine itself asks for the system only. Which
/// program it is, Windows tells administrators only.
fn display_is_kept_on() -> Known<Option<String>> {
    let how = "CallNtPowerInformation";
    let mut state = 0_u32;
    // SAFETY: a number of 32 bits is asked for, and there is room for one.
    let asked =
        unsafe { CallNtPowerInformation(SystemExecutionState, None, 0, Some((&raw mut state).cast()), size_of::<u32>() as u32) };
    match asked.ok() {
        Ok(()) => Known::new((state & ES_DISPLAY_REQUIRED.0 != 0).then(|| "a program".to_owned()), how),
        Err(error) => Known::unknown(format!("{how}: {error}")),
    }
}

fn locked(sessions: &Option<Vec<Session>>) -> Known<bool> {
    match sessions {
        Some(sessions) => Known::new(
            sessions.iter().filter(|session| session.is_active).all(|session| session.is_locked),
            "WTSINFOEX of all sessions in use",
        ),
        None => Known::unknown("the sessions cannot be asked"),
    }
}

fn full_screen() -> Known<bool> {
    let how = "SHQueryUserNotificationState";
    // SAFETY: a call without arguments.
    match unsafe { SHQueryUserNotificationState() } {
        Ok(state) => Known::new(matches!(state, QUNS_BUSY | QUNS_RUNNING_D3D_FULL_SCREEN | QUNS_PRESENTATION_MODE), how),
        Err(error) => Known::unknown(format!("{how}: {error}")),
    }
}

fn power() -> Known<Power> {
    let how = "GetSystemPowerStatus";
    let mut status = SYSTEM_POWER_STATUS::default();
    // SAFETY: the structure lives through the call.
    if let Err(error) = unsafe { GetSystemPowerStatus(&raw mut status) } {
        return Known::unknown(format!("{how}: {error}"));
    }
    match status.ACLineStatus {
        0 => Known::new(Power::Battery, how),
        1 => Known::new(Power::Mains, how),
        _ => Known::unknown(format!("{how} does not know")),
    }
}

fn memory() -> (Known<u64>, Option<u64>) {
    let mut status = MEMORYSTATUSEX { dwLength: size_of::<MEMORYSTATUSEX>() as u32, ..Default::default() };
    // SAFETY: the structure says its own length and lives through the call.
    match unsafe { GlobalMemoryStatusEx(&raw mut status) } {
        Ok(()) => (Known::new(status.ullAvailPhys >> 20, "GlobalMemoryStatusEx"), Some(status.ullTotalPhys >> 20)),
        Err(error) => (Known::unknown(error.to_string()), None),
    }
}

fn ticks(time: FILETIME) -> f64 {
    ((u64::from(time.dwHighDateTime) << 32) | u64::from(time.dwLowDateTime)) as f64
}

fn used() -> Option<Used> {
    let (mut idle, mut kernel, mut user) = (FILETIME::default(), FILETIME::default(), FILETIME::default());
    // SAFETY: the three places live through the call.
    unsafe { GetSystemTimes(Some(&raw mut idle), Some(&raw mut kernel), Some(&raw mut user)) }.ok()?;
    // The kernel's time contains the idle one.
    let total = ticks(kernel) + ticks(user);
    let own = process_ticks()? + crate::platform::jobs_cpu_seconds() * FILETIME_PER_SECOND;
    Some(Used { busy: total - ticks(idle), own, total })
}

/// Of the engine itself.
fn process_ticks() -> Option<f64> {
    let mut times = [FILETIME::default(); 4];
    let [created, ended, kernel, user] = &mut times;
    // SAFETY: the four places live through the call, and the handle stands for this process.
    unsafe { GetProcessTimes(GetCurrentProcess(), created, ended, kernel, user) }.ok()?;
    Some(ticks(*kernel) + ticks(*user))
}

/// Windows 10 and later note for each program when it last stopped using the microphone; zero while it does.
fn microphone() -> Known<bool> {
    let how = "the microphone's consent store";
    let store = r"Software\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore\microphone";
    match any_in_use(store) {
        // Programs from outside the shop have a list of their own, once the first of them has asked.
        Some(in_use) => Known::new(in_use || any_in_use(&format!(r"{store}\NonPackaged")).unwrap_or(false), how),
        None => Known::unknown(format!("{how} is not here")),
    }
}

fn any_in_use(path: &str) -> Option<bool> {
    let (name, mut key) = (HSTRING::from(path), HKEY::default());
    // SAFETY: the name and the place for the key live through the call.
    let opened = unsafe { RegOpenKeyExW(HKEY_CURRENT_USER, &name, None, KEY_READ, &raw mut key) };
    if opened != ERROR_SUCCESS {
        return None;
    }
    let mut in_use = false;
    for index in 0.. {
        let mut program = [0_u16; 512];
        let mut length = program.len() as u32;
        let to = Some(PWSTR(program.as_mut_ptr()));
        // SAFETY: the buffer is as long as is said, and all places live through the call.
        if unsafe { RegEnumKeyExW(key, index, to, &raw mut length, None, None, None, None) } != ERROR_SUCCESS {
            break;
        }
        let program = HSTRING::from_wide(&program[..length as usize]);
        let (mut stopped, mut bytes) = (u64::MAX, size_of::<u64>() as u32);
        let into = Some((&raw mut stopped).cast::<c_void>());
        // SAFETY: a number of 64 bits is asked for, and there is room for one.
        let read =
            unsafe { RegGetValueW(key, &program, w!("LastUsedTimeStop"), RRF_RT_REG_QWORD, None, into, Some(&raw mut bytes)) };
        in_use |= read == ERROR_SUCCESS && stopped == 0;
    }
    // SAFETY: the key was opened above and is not used after this.
    let _closed = unsafe { RegCloseKey(key) };
    Some(in_use)
}

fn metered() -> Known<bool> {
    let how = "INetworkCostManager";
    let ask = || -> windows::core::Result<u32> {
        // SAFETY: this thread of the runtime's pool is used for COM by this function alone; to do so twice does no harm.
        unsafe {
            let _ = CoInitializeEx(None, COINIT_MULTITHREADED);
            let manager: INetworkCostManager = CoCreateInstance(&NetworkListManager, None, CLSCTX_ALL)?;
            let mut cost = 0;
            manager.GetCost(&raw mut cost, std::ptr::null_mut())?;
            Ok(cost)
        }
    };
    match ask() {
        Ok(0) => Known::unknown(format!("{how} does not know")),
        Ok(cost) => Known::new(cost & NLM_CONNECTION_COST_UNRESTRICTED.0 as u32 == 0, how),
        Err(error) => Known::unknown(format!("{how}: {error}")),
    }
}

/// Told of sleep and of waking up.
#[derive(Debug)]
pub struct SleepNews;

impl SleepNews {
    pub fn new(news: NewsSender, _lock: DelayLock) -> Self {
        // Both live as long as the process: Windows may call at any time.
        let context: *mut c_void = Box::into_raw(Box::new(news)).cast();
        let parameters = Box::leak(Box::new(DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS { Callback: Some(told), Context: context }));
        let mut handle: *mut c_void = std::ptr::null_mut();
        // SAFETY: the parameters are never freed, and the place for the handle lives through the call.
        let registered = unsafe {
            PowerRegisterSuspendResumeNotification(
                DEVICE_NOTIFY_CALLBACK,
                HANDLE((&raw mut *parameters).cast()),
                (&raw mut handle).cast(),
            )
        };
        let _kept: HPOWERNOTIFY = HPOWERNOTIFY(handle as isize);
        if registered != ERROR_SUCCESS {
            tracing::debug!("Windows does not tell of sleep: {registered:?}");
        }
        Self
    }
}

unsafe extern "system" fn told(context: *const c_void, kind: u32, _setting: *const c_void) -> u32 {
    // SAFETY: the context is the sender that was leaked when this was registered.
    let news = unsafe { &*context.cast::<NewsSender>() };
    let leaving = match kind {
        PBT_APMSUSPEND => Some(Leaving::Sleep),
        PBT_APMRESUMEAUTOMATIC => None,
        _ => return 0,
    };
    let _ = news.send(News::Leaving(leaving));
    0
}

/// A request to keep the system running; the display may go dark.
#[derive(Debug)]
pub struct Held(isize);

pub async fn take(why: &str) -> Option<Held> {
    let mut words: Vec<u16> = why.encode_utf16().chain([0]).collect();
    let context = REASON_CONTEXT {
        Version: 0,
        Flags: POWER_REQUEST_CONTEXT_SIMPLE_STRING,
        Reason: REASON_CONTEXT_0 { SimpleReasonString: PWSTR(words.as_mut_ptr()) },
    };
    // SAFETY: the context and its words live through the call, which copies them.
    let request = unsafe { PowerCreateRequest(&raw const context) }.ok()?;
    // SAFETY: the request was made above.
    unsafe { PowerSetRequest(request, PowerRequestSystemRequired) }.ok()?;
    Some(Held(request.0 as isize))
}

pub async fn release(held: Held) {
    let request = HANDLE(held.0 as *mut c_void);
    // SAFETY: the request was made by `take`, and is used here for the last time.
    unsafe {
        let _ = PowerClearRequest(request, PowerRequestSystemRequired);
        let _ = CloseHandle(request);
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
