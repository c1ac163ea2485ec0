//! The box on Windows: a job object with limits, no new processes, and a process of low integrity.
//!
//! They are put around the program before it begins. Low integrity keeps it from changing whatever the person at the desk has;
//! reading their files and reaching the network stay possible, so those walls are reported as missing. Run under Wine only.

use std::{
    collections::BTreeSet,
    io,
    net::SocketAddr,
    os::windows::io::{FromRawHandle, OwnedHandle},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;
use windows::Win32::{
    Foundation::HANDLE,
    Security::{
        CreateWellKnownSid, PSID, SECURITY_MAX_SID_SIZE, SID_AND_ATTRIBUTES, SetTokenInformation, TOKEN_ADJUST_DEFAULT,
        TOKEN_MANDATORY_LABEL, TOKEN_QUERY, TokenIntegrityLevel, WinLowLabelSid,
    },
    System::{
        JobObjects::{
            AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_ACTIVE_PROCESS, JOB_OBJECT_LIMIT_AFFINITY,
            JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, JOB_OBJECT_LIMIT_PROCESS_MEMORY, JOB_OBJECT_LIMIT_PROCESS_TIME,
            JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation, SetInformationJobObject,
        },
        SystemServices::SE_GROUP_INTEGRITY,
        Threading::{
            GetCurrentProcess, GetProcessAffinityMask, OpenProcess, OpenProcessToken, PROCESS_QUERY_INFORMATION,
            PROCESS_SET_QUOTA, PROCESS_TERMINATE,
        },
    },
};

use super::{Limits, Order, Started, Walls};
use crate::platform;

/// What a program may use beyond its processor time before the system itself ends it.
const SPARE_TIME: Duration = Duration::from_secs(10);

/// The loopback is shared: there are no networks of one's own.
pub const OWN_NETWORK: bool = false;

/// What one program may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub limits: Limits,
    pub memory_bytes: u64,
    #[expect(dead_code, reason = "no call keeps a program to one port here")]
    pub port: Option<u16>,
}

/// All that can be had without an AppContainer.
pub fn most_walls() -> Walls {
    Walls { resources: true, ..Walls::default() }
}

pub fn never_walls() -> Option<&'static str> {
    Some("on Windows a program of low integrity can still read files, reach the network and call the system")
}

pub fn knows_ports() -> bool {
    false
}

/// Starts a program behind `walls`.
pub fn start(order: Order, walls: Walls, bounds: Bounds) -> io::Result<Started> {
    let mut command = Command::new(&order.program);
    // Programs do not begin without `SystemRoot`; the rest of the environment is none of ffmpeg's business.
    let root = std::env::var_os("SystemRoot").map(|root| ("SystemRoot".into(), root));
    command.args(&order.arguments).env_clear().envs(root.into_iter().chain(order.environment));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = platform::start_with(command, |id| walls.resources.then(|| confine(id, bounds)).transpose())?;
    Ok(Started { child, listener: None })
}

/// Puts a process into a job with limits, and lowers its integrity. The job ends the process when it is dropped.
#[expect(unsafe_code, reason = "job objects and tokens have no safe wrapper")]
fn confine(process: u32, bounds: Bounds) -> io::Result<OwnedHandle> {
    let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
    let basic = &mut limits.BasicLimitInformation;
    basic.LimitFlags = JOB_OBJECT_LIMIT_ACTIVE_PROCESS
        | JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
        | JOB_OBJECT_LIMIT_PROCESS_MEMORY
        | JOB_OBJECT_LIMIT_PROCESS_TIME;
    basic.ActiveProcessLimit = 1;
    // In units of 100 ns. The engine looks every second and can say why it ended a program; this holds should it not get to it.
    basic.PerProcessUserTimeLimit =
        i64::try_from(bounds.limits.cpu.saturating_add(SPARE_TIME).as_nanos() / 100).unwrap_or(i64::MAX);
    limits.ProcessMemoryLimit = usize::try_from(bounds.memory_bytes).unwrap_or(usize::MAX);
    if let Some(cores) = platform::most_cores().and_then(last_cores) {
        basic.LimitFlags |= JOB_OBJECT_LIMIT_AFFINITY;
        basic.Affinity = cores;
    }
    let size = size_of::<JOBOBJECT_EXTENDED_LIMIT_INFORMATION>() as u32;
    // SAFETY: every handle is the one just opened and is closed by its owner; structures live through the calls and say
    // their own sizes.
    unsafe {
        let job = CreateJobObjectW(None, None).map_err(io::Error::from)?;
        let owner = own(job);
        SetInformationJobObject(job, JobObjectExtendedLimitInformation, (&raw const limits).cast(), size)
            .map_err(io::Error::from)?;
        let rights = PROCESS_SET_QUOTA | PROCESS_TERMINATE | PROCESS_QUERY_INFORMATION;
        let process = OpenProcess(rights, false, process).map_err(io::Error::from)?;
        let _process = own(process);
        // Jobs nest: the one that ends the program with the engine is around this one.
        AssignProcessToJobObject(job, process).map_err(io::Error::from)?;
        lower_integrity(process)?;
        Ok(owner)
    }
}

/// The last `most` of the processors that the engine may use, a bit for each: the same for all of its programs. `None` when the
/// engine runs on more than one group of 64.
#[expect(unsafe_code, reason = "the processors of a process have no safe wrapper")]
fn last_cores(most: u32) -> Option<usize> {
    let (mut allowed, mut all) = (0, 0);
    // SAFETY: the handle is a constant that stands for this process, and both places live through the call.
    unsafe { GetProcessAffinityMask(GetCurrentProcess(), &raw mut allowed, &raw mut all) }.ok()?;
    let mut kept = 0;
    for _ in 0..most {
        let Some(last) = allowed.checked_ilog2() else { break };
        kept |= 1 << last;
        allowed &= !(1 << last);
    }
    (kept != 0).then_some(kept)
}

#[expect(unsafe_code, reason = "tokens have no safe wrapper")]
fn lower_integrity(process: HANDLE) -> io::Result<()> {
    let mut sid = [0_u8; SECURITY_MAX_SID_SIZE as usize];
    let mut length = SECURITY_MAX_SID_SIZE;
    let place = PSID(sid.as_mut_ptr().cast());
    let label = TOKEN_MANDATORY_LABEL { Label: SID_AND_ATTRIBUTES { Sid: place, Attributes: SE_GROUP_INTEGRITY as u32 } };
    // SAFETY: the SID fits into its place, which lives through the calls; the token's handle is closed by its owner.
    unsafe {
        CreateWellKnownSid(WinLowLabelSid, None, Some(place), &raw mut length).map_err(io::Error::from)?;
        let mut token = HANDLE::default();
        OpenProcessToken(process, TOKEN_ADJUST_DEFAULT | TOKEN_QUERY, &raw mut token).map_err(io::Error::from)?;
        let _token = own(token);
        let size = size_of::<TOKEN_MANDATORY_LABEL>() as u32 + length;
        SetTokenInformation(token, TokenIntegrityLevel, (&raw const label).cast(), size).map_err(io::Error::from)
    }
}

#[expect(unsafe_code, reason = "a handle that a call returned has no owner yet")]
fn own(handle: HANDLE) -> OwnedHandle {
    // SAFETY: callers pass handles that were just opened, and are nobody else's.
    unsafe { OwnedHandle::from_raw_handle(handle.0) }
}

/// Of kernel and user together.
pub(crate) fn cpu_time(process: u32) -> Option<Duration> {
    platform::cpu_seconds(process).map(Duration::from_secs_f64)
}

/// Addresses of the loopback cannot be guessed, and a command line is shown to its own user only.
pub(crate) fn is_peer(peer: SocketAddr, _local: SocketAddr, _processes: &BTreeSet<u32>) -> bool {
    peer.ip().is_loopback()
}
