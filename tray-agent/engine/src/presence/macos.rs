//! macOS: the last input, power, load and memory by the system's C interfaces; what it tells only to programs with a window, or
//! to nobody, is unknown.

#![expect(unsafe_code, reason = "the system's C interfaces have no safe wrappers in what the engine depends on")]

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    time::{Duration, Instant},
};

use super::{
    Clock, Known, LastInput, NewsSender, Power, Readings, Source,
    load::{Load, Used},
};

/// macOS tells of no input without the right to read all of it.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Nothing is told before the machine sleeps: what is held goes on afterwards, or runs out.
#[derive(Debug, Clone, Copy, Default)]
pub struct DelayLock;

impl DelayLock {
    pub fn release(&self) {}
}

/// Nobody tells of sleep here.
#[derive(Debug)]
pub struct SleepNews;

impl SleepNews {
    pub fn new(_news: NewsSender, _lock: DelayLock) -> Self {
        Self
    }
}

#[derive(Debug)]
pub struct Sources {
    load: Load,
}

impl Sources {
    pub fn new(_news: NewsSender, _lock: DelayLock) -> Self {
        Self { load: Load::default() }
    }
}

impl Source for Sources {
    async fn read(&mut self, clock: &Clock, _in_hand: bool) -> Readings {
        Readings {
            input: last_input(clock),
            locked: session_flag(c"CGSSessionScreenIsLocked", "CGSessionCopyCurrentDictionary"),
            full_screen: Known::unknown("macOS tells programs with a window only"),
            inhibited: display_is_kept_on(),
            call: Known::unknown("not asked on macOS"),
            power: power(),
            metered: Known::unknown("macOS does not tell programs without a window"),
            other_cpu: self.load.note(Instant::now(), used(), "host_statistics, less the engine's own processes"),
            free_memory_mib: free_memory(),
            total_memory_mib: crate::platform::total_bytes().map(|bytes| bytes >> 20),
            throttled: Known::unknown("not asked on macOS"),
        }
    }

    fn look_every_working(&self) -> Duration {
        LOOK_EVERY
    }
}

type CFRef = *const c_void;

/// `kCGEventSourceStateHIDSystemState`: what came from devices.
const FROM_DEVICES: i32 = 1;
/// `kCGAnyInputEventType`.
const ANY_INPUT: u32 = u32::MAX;
/// `kCFStringEncodingUTF8`.
const UTF8: u32 = 0x0800_0100;
/// `kCFNumberSInt32Type`.
const INT_32: isize = 3;
/// `HOST_CPU_LOAD_INFO` and `HOST_VM_INFO64`, with their sizes in 32-bit words.
const CPU_LOAD: c_int = 3;
const CPU_LOAD_WORDS: u32 = 4;
const VM_INFO: c_int = 4;
const VM_INFO_WORDS: u32 = 38;
/// `kIOPMAssertionLevelOn`.
const ASSERTION_ON: u32 = 255;

#[link(name = "ApplicationServices", kind = "framework")]
unsafe extern "C" {
    fn CGEventSourceSecondsSinceLastEventType(state: i32, kind: u32) -> f64;
    fn CGSessionCopyCurrentDictionary() -> CFRef;
}

#[link(name = "CoreFoundation", kind = "framework")]
unsafe extern "C" {
    fn CFRelease(object: CFRef);
    fn CFDictionaryGetValue(dictionary: CFRef, key: CFRef) -> CFRef;
    fn CFBooleanGetValue(boolean: CFRef) -> u8;
    fn CFNumberGetValue(number: CFRef, kind: isize, value: *mut c_void) -> u8;
    fn CFStringCreateWithCString(allocator: CFRef, text: *const c_char, encoding: u32) -> CFRef;
    fn CFStringGetCString(string: CFRef, buffer: *mut c_char, size: isize, encoding: u32) -> u8;
}

#[link(name = "IOKit", kind = "framework")]
unsafe extern "C" {
    fn IOPSCopyPowerSourcesInfo() -> CFRef;
    fn IOPSGetProvidingPowerSourceType(snapshot: CFRef) -> CFRef;
    fn IOPMAssertionCreateWithName(kind: CFRef, level: u32, name: CFRef, id: *mut u32) -> c_int;
    fn IOPMAssertionRelease(id: u32) -> c_int;
    fn IOPMCopyAssertionsStatus(status: *mut CFRef) -> c_int;
}

unsafe extern "C" {
    fn mach_host_self() -> u32;
    fn host_statistics64(host: u32, flavor: c_int, info: *mut u32, words: *mut u32) -> c_int;
}

/// An object of Core Foundation that is ours to release.
struct Owned(CFRef);

impl Owned {
    fn new(object: CFRef) -> Option<Self> {
        (!object.is_null()).then_some(Self(object))
    }

    fn text(text: &CStr) -> Option<Self> {
        // SAFETY: the text ends with a zero and is copied.
        Self::new(unsafe { CFStringCreateWithCString(std::ptr::null(), text.as_ptr(), UTF8) })
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: it is ours, and is not used after this.
        unsafe { CFRelease(self.0) };
    }
}

/// The session of whoever is logged in; none on a machine that nobody is logged in to.
fn session() -> Option<Owned> {
    // SAFETY: a call without arguments; what it returns is ours.
    Owned::new(unsafe { CGSessionCopyCurrentDictionary() })
}

fn last_input(clock: &Clock) -> Known<LastInput> {
    let how = "CGEventSourceSecondsSinceLastEventType";
    // SAFETY: a call with plain numbers.
    let seconds = unsafe { CGEventSourceSecondsSinceLastEventType(FROM_DEVICES, ANY_INPUT) };
    if session().is_none() {
        return Known::unknown("this engine runs outside of any session, where macOS does not tell");
    }
    match Duration::try_from_secs_f64(seconds) {
        Ok(idle) => Known::new(LastInput::At(clock.ago(idle)), how),
        Err(error) => Known::unknown(format!("{how}: {error}")),
    }
}

fn session_flag(name: &CStr, how: &str) -> Known<bool> {
    let (Some(session), Some(key)) = (session(), Owned::text(name)) else { return Known::unknown(format!("{how}: no session")) };
    // SAFETY: both are alive; the value belongs to the dictionary.
    let value = unsafe { CFDictionaryGetValue(session.0, key.0) };
    // SAFETY: these keys have booleans as values.
    Known::new(!value.is_null() && unsafe { CFBooleanGetValue(value) } != 0, how)
}

fn power() -> Known<Power> {
    let how = "IOPSGetProvidingPowerSourceType";
    // SAFETY: a call without arguments; what it returns is ours.
    let Some(snapshot) = Owned::new(unsafe { IOPSCopyPowerSourcesInfo() }) else { return Known::unknown(how) };
    let mut text = [0; 64];
    // SAFETY: the string belongs to the snapshot, which lives through both calls, and the buffer is as long as is said.
    let read = unsafe {
        let kind = IOPSGetProvidingPowerSourceType(snapshot.0);
        !kind.is_null() && CFStringGetCString(kind, text.as_mut_ptr(), 64, UTF8) != 0
    };
    let words = read.then(|| {
        // SAFETY: the call above ended the text with a zero.
        unsafe { CStr::from_ptr(text.as_ptr()) }.to_string_lossy().into_owned()
    });
    match words.as_deref() {
        Some("AC Power") => Known::new(Power::Mains, how),
        Some("Battery Power" | "UPS Power") => Known::new(Power::Battery, how),
        Some(_) | None => Known::unknown(format!("{how} does not know")),
    }
}

/// Whether some program, for a film or a call, has asked that the display stays on. The engine itself asks for the system only.
fn display_is_kept_on() -> Known<Option<String>> {
    let how = "IOPMCopyAssertionsStatus";
    let mut status: CFRef = std::ptr::null();
    // SAFETY: the place for the dictionary is ours, and so is what comes to be in it.
    let told = unsafe { IOPMCopyAssertionsStatus(&raw mut status) } == 0;
    let (Some(status), true, Some(key)) = (Owned::new(status), told, Owned::text(c"PreventUserIdleDisplaySleep")) else {
        return Known::unknown(how);
    };
    let mut count = 0_i32;
    // SAFETY: both are alive; the value belongs to the dictionary, whose values are numbers.
    unsafe {
        let value = CFDictionaryGetValue(status.0, key.0);
        if !value.is_null() && CFNumberGetValue(value, INT_32, (&raw mut count).cast()) == 0 {
            return Known::unknown(how);
        }
    }
    Known::new((count > 0).then(|| "a program".to_owned()), how)
}

fn statistics<const WORDS: usize>(flavor: c_int, words: u32) -> Option<[u32; WORDS]> {
    let (mut info, mut count) = ([0; WORDS], words);
    // SAFETY: there is room for so many words.
    let told = unsafe { host_statistics64(mach_host_self(), flavor, info.as_mut_ptr(), &raw mut count) };
    (told == 0).then_some(info)
}

/// Ticks of user, system, idle and nice, which wrap: the window of the load begins anew then.
fn used() -> Option<Used> {
    let [user, system, idle, nice] = statistics::<4>(CPU_LOAD, CPU_LOAD_WORDS)?.map(f64::from);
    let busy = user + system + nice;
    // A hundred ticks a second, as the kernel counts them.
    Some(Used { busy, own: own_seconds() * 100.0, total: busy + idle })
}

/// Of the engine, of all that has ended below it, and of what runs.
fn own_seconds() -> f64 {
    use nix::sys::resource::{UsageWho, getrusage};
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let own = getrusage(UsageWho::RUSAGE_SELF).map_or(0.0, |used| seconds(used.user_time()) + seconds(used.system_time()));
    own + crate::platform::children_cpu_seconds() + crate::platform::running_cpu_seconds()
}

/// `vm_statistics64`: free and inactive pages are its first and third word; both can be had at once.
fn free_memory() -> Known<u64> {
    let how = "host_statistics64";
    let Some(info) = statistics::<38>(VM_INFO, VM_INFO_WORDS) else { return Known::unknown(how) };
    let page =
        nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().and_then(|bytes| u64::try_from(bytes).ok());
    let pages = u64::from(info[0]) + u64::from(info[2]);
    Known::new((pages * page.unwrap_or(16_384)) >> 20, how)
}

/// An assertion that keeps the system awake, not the display.
#[derive(Debug)]
pub struct Held(u32);

pub async fn take(why: &str) -> Option<Held> {
    let kind = Owned::text(c"PreventUserIdleSystemSleep")?;
    let name = Owned::text(&std::ffi::CString::new(why).ok()?)?;
    let mut id = 0;
    // SAFETY: both strings live through the call, which copies them.
    let taken = unsafe { IOPMAssertionCreateWithName(kind.0, ASSERTION_ON, name.0, &raw mut id) };
    (taken == 0).then_some(Held(id))
}

pub async fn release(held: Held) {
    // SAFETY: the assertion was made by `take`.
    unsafe { IOPMAssertionRelease(held.0) };
}
