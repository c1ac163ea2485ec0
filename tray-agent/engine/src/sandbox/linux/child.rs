//! What the child does between fork and exec: system calls only, no memory taken, in an order in which each still can.

use std::{
    ffi::{CString, c_char},
    io,
    os::fd::{AsRawFd, OwnedFd, RawFd},
};

use nix::libc;
use seccompiler::BpfProgram;
use tokio::process::Command;

use super::namespace;

/// Everything that the child needs, made before it is there.
pub struct Plan {
    pub program: RawFd,
    pub arguments: Pointers,
    pub environment: Pointers,
    pub namespace: Option<namespace::Plan>,
    /// A Landlock rule set.
    pub rules: Option<OwnedFd>,
    pub filter: Option<BpfProgram>,
    pub resources: Option<Resources>,
}

/// Limits of setrlimit(2).
#[derive(Debug, Clone, Copy)]
pub struct Resources {
    pub memory_bytes: u64,
    pub cpu_seconds: u64,
    pub threads: Option<u64>,
}

/// The engine ends a program that is over its time, and says so; should the engine be stuck, the kernel does so much later.
const CPU_GRACE_SECONDS: u64 = 60;
/// Reserved, not used: stacks and arenas of many threads, and the program itself.
const ADDRESS_SPACE_SLACK: u64 = 16 << 30;
/// Source, a dozen renditions, and what the C library opens.
const MOST_DESCRIPTORS: u64 = 128;

/// A list of strings as `execve` wants it: their addresses, and a zero.
pub struct Pointers {
    addresses: Vec<usize>,
    _strings: Vec<CString>,
}

impl Pointers {
    pub fn to(strings: Vec<CString>) -> Self {
        let addresses = strings.iter().map(|string| string.as_ptr().expose_provenance()).chain([0]).collect();
        Self { addresses, _strings: strings }
    }

    fn as_ptr(&self) -> *const *const c_char {
        self.addresses.as_ptr().cast()
    }
}

/// Makes `command` put up the box, and begin the program itself.
#[expect(unsafe_code, reason = "walls can only be put up between fork and exec")]
pub fn prepare(command: &mut Command, plan: Plan) {
    // SAFETY: the closure makes system calls only and allocates nothing; all memory that it uses was made before the fork.
    unsafe { command.pre_exec(move || plan.carry_out()) };
}

impl Plan {
    /// Does not return unless something went wrong.
    fn carry_out(&self) -> io::Result<()> {
        if let Some(namespace) = &self.namespace {
            namespace.enter()?;
            crate::platform::die_with_parent()?;
        }
        close_on_exec_all();
        if let Some(resources) = &self.resources {
            resources.limit()?;
        }
        no_new_privileges()?;
        drop_capabilities();
        if let Some(rules) = &self.rules {
            restrict(rules)?;
        }
        if let Some(filter) = &self.filter {
            seccompiler::apply_filter(filter).map_err(|_| io::Error::last_os_error())?;
        }
        Err(self.begin())
    }

    #[expect(unsafe_code, reason = "no wrapper starts a program by descriptor without taking memory")]
    fn begin(&self) -> io::Error {
        // SAFETY: both lists end with a zero, and they and their strings live as long as `self`.
        unsafe {
            libc::syscall(
                libc::SYS_execveat,
                self.program,
                c"".as_ptr(),
                self.arguments.as_ptr(),
                self.environment.as_ptr(),
                libc::AT_EMPTY_PATH,
            )
        };
        let error = io::Error::last_os_error();
        if self.filter.is_none() && error.raw_os_error() == Some(libc::ENOENT) {
            // A script around ffmpeg: its interpreter would look for it by a descriptor that is closed by then. It is begun by
            // its path, which the filter of system calls would refuse, so it runs where that wall is known to be missing.
            // SAFETY: as above; the first argument is the program's path.
            unsafe { libc::execve(*self.arguments.as_ptr(), self.arguments.as_ptr(), self.environment.as_ptr()) };
        }
        error
    }
}

impl Resources {
    fn limit(&self) -> io::Result<()> {
        use nix::sys::resource::{Resource, setrlimit};
        let cpu = self.cpu_seconds + CPU_GRACE_SECONDS;
        let limits = [
            (Resource::RLIMIT_DATA, self.memory_bytes),
            (Resource::RLIMIT_AS, self.memory_bytes.saturating_add(ADDRESS_SPACE_SLACK)),
            (Resource::RLIMIT_CPU, cpu),
            (Resource::RLIMIT_FSIZE, 0),
            (Resource::RLIMIT_CORE, 0),
            (Resource::RLIMIT_NOFILE, MOST_DESCRIPTORS),
            (Resource::RLIMIT_MEMLOCK, 0),
            (Resource::RLIMIT_MSGQUEUE, 0),
        ];
        let threads = self.threads.map(|threads| (Resource::RLIMIT_NPROC, threads));
        for (resource, limit) in limits.into_iter().chain(threads) {
            setrlimit(resource, limit, limit)?;
        }
        Ok(())
    }
}

/// Descriptors that the engine itself was given without that mark. Kernels before 5.11 cannot.
#[expect(unsafe_code, reason = "no wrapper for close_range(2)")]
fn close_on_exec_all() {
    // SAFETY: one system call with plain numbers; it is best effort, so its result is ignored.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
}

#[expect(unsafe_code, reason = "a system call")]
fn no_new_privileges() -> io::Result<()> {
    // SAFETY: one system call with plain numbers.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// An engine that runs as root is no reason for ffmpeg to be root: after exec it has no capability. Whoever is not root has
/// none to lose, and may not lock what is not there.
#[expect(unsafe_code, reason = "system calls")]
fn drop_capabilities() {
    /// `SECBIT_NOROOT` and its lock of capabilities(7).
    const NO_ROOT_LOCKED: libc::c_ulong = 1 | 2;
    // SAFETY: system calls with plain numbers; best effort.
    unsafe {
        libc::prctl(libc::PR_SET_SECUREBITS, NO_ROOT_LOCKED, 0, 0, 0);
        libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    }
}

#[expect(unsafe_code, reason = "the wrapper takes memory")]
fn restrict(rules: &OwnedFd) -> io::Result<()> {
    // SAFETY: one system call with plain numbers; the descriptor is open.
    match unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
