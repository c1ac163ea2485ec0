//! Windows: the last input of every session, power, memory, load, full screen, the microphone, metered networks, sleep.
//!
//! Nothing here hooks into anybody's input: Windows is asked when the last one was, five times a second while work is done.

#![expect(unsafe_code, reason = "the Windows API has no safe wrappers for what is read here")]

mod sessions;

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
            SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX},
            Threading::{
                GetCurrentProcess, GetProcessTimes, GetSystemTimes, POWER_REQUEST_CONTEXT_SIMPLE_STRING, REASON_CONTEXT,
                REASON_CONTEXT_0,
            },
        },
        UI::{
            Shell::{QUNS_BUSY, QUNS_PRESENTATION_MODE, QUNS_RUNNING_D3D_FULL_SCREEN, SHQueryUserNotificationState},
            WindowsAndMessaging::{DEVICE_NOTIFY_CALLBACK, PBT_APMRESUMEAUTOMATIC, PBT_APMSUSPEND},
        },
    },
    core::{HSTRING, PWSTR, w},
};

use sessions::{last_input, locked, sessions};

use super::{Clock, Known, Leaving, News, NewsSender, Power, Readings, Source, asked::Asked, load::Load, load::Used};

/// Windows tells of no input by itself.
const LOOK_EVERY: Duration = Duration::from_millis(200);
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
