//! Which system calls a program may make: those that it takes to compute and to talk over a connection. A call that is not
//! listed does not exist (`ENOSYS`), so that the C library falls back where it can.

use std::{collections::BTreeMap, io, os::fd::RawFd};

use nix::libc::{self, c_long};
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};

/// Calls without conditions.
const FREE: &[c_long] = &[
    // Memory.
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mincore,
    // Threads, and waiting for each other.
    libc::SYS_futex,
    libc::SYS_futex_waitv,
    libc::SYS_set_robust_list,
    libc::SYS_get_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_getpriority,
    libc::SYS_getcpu,
    libc::SYS_get_mempolicy,
    // Signals of its own; none can be sent.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    // Time.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_times,
    libc::SYS_getrusage,
    // Who and where it is.
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getrandom,
    libc::SYS_getcwd,
    // Descriptors that it has.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_fstatfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_fcntl,
    libc::SYS_pipe2,
    libc::SYS_eventfd2,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    // A connection.
    libc::SYS_connect,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_shutdown,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
];

/// Older names of the same, which only this architecture has.
#[cfg(target_arch = "x86_64")]
const FREE_HERE: &[c_long] = &[
    libc::SYS_arch_prctl,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_eventfd,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_epoll_create,
    libc::SYS_epoll_wait,
    libc::SYS_time,
    libc::SYS_getrlimit,
];
#[cfg(not(target_arch = "x86_64"))]
const FREE_HERE: &[c_long] = &[];

/// The filter for a program that is begun by this descriptor.
pub fn filter(program: RawFd) -> io::Result<BpfProgram> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = FREE.iter().chain(FREE_HERE).map(|call| (*call, Vec::new())).collect();
    let add = |rules: &mut BTreeMap<i64, Vec<SeccompRule>>, call: c_long, conditions: Vec<SeccompCondition>| {
        let rule = SeccompRule::new(conditions).map_err(io::Error::other)?;
        rules.entry(call).or_default().push(rule);
        Ok::<_, io::Error>(())
    };
    // The one exec. The descriptor closes with it; a later one by the same number is refused by Landlock.
    let begin = vec![is(0, program.cast_unsigned().into())?, is(4, libc::AT_EMPTY_PATH.cast_unsigned().into())?];
    add(&mut rules, libc::SYS_execveat, begin)?;
    // Threads, and no processes. `clone3` hides its flags behind a pointer: it does not exist, and `clone` is taken instead.
    let new_namespaces = libc::CLONE_NEWNS
        | libc::CLONE_NEWCGROUP
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUSER
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET;
    let thread = libc::CLONE_THREAD.cast_unsigned().into();
    add(&mut rules, libc::SYS_clone, vec![masked(0, thread | u64::from(new_namespaces.cast_unsigned()), thread)?])?;
    // TCP, and no packets, no Unix sockets, no netlink.
    let kind = (libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC).cast_unsigned();
    let stream = masked(1, u64::from(u32::MAX ^ kind), libc::SOCK_STREAM.cast_unsigned().into())?;
    for family in [libc::AF_INET, libc::AF_INET6] {
        add(&mut rules, libc::SYS_socket, vec![is(0, family.cast_unsigned().into())?, stream.clone()])?;
    }
    // Files are opened to be read.
    let writes = (libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND).cast_unsigned();
    add(&mut rules, libc::SYS_openat, vec![masked(2, writes.into(), 0)?])?;
    #[cfg(target_arch = "x86_64")]
    add(&mut rules, libc::SYS_open, vec![masked(1, writes.into(), 0)?])?;
    for request in [libc::FIONBIO, libc::FIONREAD, libc::TCGETS, libc::TIOCGWINSZ] {
        // Their type differs between C libraries.
        add(&mut rules, libc::SYS_ioctl, vec![is(1, u64::from(request as u32))?])?;
    }
    for option in [libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_SET_VMA] {
        add(&mut rules, libc::SYS_prctl, vec![is(0, option.cast_unsigned().into())?])?;
    }
    // Limits can be read.
    let no_new_limit = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0).map_err(io::Error::other)?;
    add(&mut rules, libc::SYS_prlimit64, vec![no_new_limit])?;

    let arch = std::env::consts::ARCH.try_into().map_err(io::Error::other)?;
    let refusal = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let filter = SeccompFilter::new(rules, refusal, SeccompAction::Allow, arch).map_err(io::Error::other)?;
    filter.try_into().map_err(io::Error::other)
}

fn is(argument: u8, value: u64) -> io::Result<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value).map_err(io::Error::other)
}

fn masked(argument: u8, mask: u64, value: u64) -> io::Result<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), value).map_err(io::Error::other)
}
