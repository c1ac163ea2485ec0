//! What programs below the engine have used of the processor.

use std::ffi::{c_int, c_void};

unsafe extern "C" {
    fn mach_timebase_info(info: *mut u32) -> c_int;
    fn proc_listchildpids(parent: c_int, buffer: *mut c_void, bytes: c_int) -> c_int;
    fn proc_pid_rusage(process: c_int, flavor: c_int, usage: *mut c_void) -> c_int;
}

/// The head of `rusage_info_v0`: an identifier, user and system time in units of the clock.
#[repr(C)]
struct Usage {
    uuid: [u8; 16],
    user: u64,
    system: u64,
    rest: [u64; 8],
}

/// Processor time of a program, in seconds; nothing once it is gone.
#[expect(unsafe_code, reason = "libproc has no safe wrapper in what the engine depends on")]
pub fn cpu_seconds(process: i32) -> Option<f64> {
    let mut usage = Usage { uuid: [0; 16], user: 0, system: 0, rest: [0; 8] };
    let mut base = [0_u32; 2];
    // SAFETY: version 0 of the structure is shorter than the place for it, and the time base has two words.
    let told = unsafe { proc_pid_rusage(process, 0, (&raw mut usage).cast()) == 0 && mach_timebase_info(base.as_mut_ptr()) == 0 };
    let [parts, of] = base.map(f64::from);
    told.then(|| (usage.user + usage.system) as f64 * parts / of.max(1.0) / 1e9)
}

/// Of the programs that run below the engine.
#[expect(unsafe_code, reason = "as above")]
pub fn running_cpu_seconds() -> f64 {
    let mut children = [0_i32; 64];
    // SAFETY: the buffer is as long as is said.
    let count = unsafe {
        proc_listchildpids(std::process::id().cast_signed(), children.as_mut_ptr().cast(), size_of_val(&children) as c_int)
    };
    let count = usize::try_from(count).unwrap_or(0).min(children.len());
    children[..count].iter().filter_map(|child| cpu_seconds(*child)).sum()
}
