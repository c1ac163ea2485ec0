//! A network of the program's own: nothing is in it but a loopback, and on that the engine's listener.

use std::{
    ffi::CStr,
    io,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
        unix::net::UnixDatagram,
    },
};

use nix::{
    libc,
    sched::{CloneFlags, unshare},
    sys::utsname::uname,
    unistd::{getegid, geteuid},
};

use super::super::INNER_PORT;
use crate::loopback::SEND_BUFFER_BYTES;

/// Who the program takes itself for inside: nobody in particular, so that exec leaves it no capability.
const INNER_ID: u32 = 65_534;
/// Connections that may wait to be accepted.
const BACKLOG: libc::c_int = 64;

/// What is needed to enter one.
pub struct Plan {
    /// The socket over which the listener is handed out.
    hand_out: RawFd,
    user_map: Line,
    group_map: Line,
}

/// A short text without an allocation of its own, for after the fork.
struct Line([u8; 32], usize);

impl Line {
    fn map(outer: u32) -> Self {
        let text = format!("{INNER_ID} {outer} 1");
        let mut line = [0; 32];
        // Three numbers of at most ten digits.
        line[..text.len()].copy_from_slice(text.as_bytes());
        Self(line, text.len())
    }

    fn bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

impl Plan {
    pub fn new(hand_out: RawFd) -> Self {
        Self { hand_out, user_map: Line::map(geteuid().as_raw()), group_map: Line::map(getegid().as_raw()) }
    }

    /// Enters new namespaces, and hands a listener on the loopback out.
    pub fn enter(&self) -> io::Result<()> {
        let flags = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS;
        unshare(flags)?;
        // user_namespaces(7): without this an unprivileged process may not map groups.
        write(c"/proc/self/setgroups", b"deny")?;
        write(c"/proc/self/uid_map", self.user_map.bytes())?;
        write(c"/proc/self/gid_map", self.group_map.bytes())?;
        raise_loopback()?;
        let listener = listen()?;
        hand_out(self.hand_out, listener)
    }
}

/// Since Linux 5.14 the limit on processes counts those of a user namespace by themselves; before, it counted all that the
/// person at the desk runs.
pub fn counts_its_own_threads() -> bool {
    let Ok(system) = uname() else { return false };
    let release = system.release().to_string_lossy();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (5, 14)
}

#[expect(unsafe_code, reason = "between fork and exec only plain system calls may be made")]
fn write(path: &CStr, text: &[u8]) -> io::Result<()> {
    // SAFETY: the path ends with a zero, the text is as long as it says, the descriptor is the one just opened.
    unsafe {
        let file = check(libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC))?;
        let written = libc::write(file, text.as_ptr().cast(), text.len());
        let error = io::Error::last_os_error();
        libc::close(file);
        if usize::try_from(written) == Ok(text.len()) { Ok(()) } else { Err(error) }
    }
}

#[expect(unsafe_code, reason = "interfaces have no safe wrapper")]
fn raise_loopback() -> io::Result<()> {
    // SAFETY: `ifreq` is plain memory for which zeros are valid; the name fits; the descriptor is the one just opened.
    unsafe {
        let socket = check(libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0))?;
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l'.cast_signed();
        request.ifr_name[1] = b'o'.cast_signed();
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        let raised = check(libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &raw const request));
        libc::close(socket);
        raised.map(drop)
    }
}

#[expect(unsafe_code, reason = "between fork and exec only plain system calls may be made")]
fn listen() -> io::Result<RawFd> {
    let buffer = SEND_BUFFER_BYTES.cast_signed();
    // SAFETY: all structures live through the calls and say their own sizes.
    unsafe {
        let socket = check(libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0))?;
        let option = (&raw const buffer).cast();
        // Accepted connections inherit it from the listening socket.
        check(libc::setsockopt(socket, libc::SOL_SOCKET, libc::SO_SNDBUF, option, size_of::<libc::c_int>() as libc::socklen_t))?;
        let mut address: libc::sockaddr_in = std::mem::zeroed();
        address.sin_family = libc::AF_INET as libc::sa_family_t;
        address.sin_port = INNER_PORT.to_be();
        address.sin_addr.s_addr = libc::INADDR_LOOPBACK.to_be();
        let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        check(libc::bind(socket, (&raw const address).cast(), length))?;
        check(libc::listen(socket, BACKLOG))?;
        Ok(socket)
    }
}

/// Room for one control message with one descriptor, aligned as `cmsghdr` wants it.
const CONTROL_WORDS: usize = 8;

#[expect(unsafe_code, reason = "descriptors are passed with a system call whose wrappers take memory")]
fn hand_out(over: RawFd, listener: RawFd) -> io::Result<()> {
    let mut byte = [1_u8];
    let mut control = [0_u64; CONTROL_WORDS];
    // SAFETY: the message points to memory that lives through the call; the control message is written within its room.
    unsafe {
        let mut part = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(size_of::<RawFd>() as u32) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(size_of::<RawFd>() as u32) as _;
        libc::CMSG_DATA(header).cast::<RawFd>().write_unaligned(listener);
        let sent = libc::sendmsg(over, &raw const message, libc::MSG_NOSIGNAL);
        if sent == 1 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

/// The listener that the child handed out; it is there by the time that the program has begun.
#[expect(unsafe_code, reason = "a descriptor that was received has no owner yet")]
pub fn receive(from: &UnixDatagram) -> io::Result<OwnedFd> {
    let mut byte = [0_u8];
    let mut control = [0_u64; CONTROL_WORDS];
    // SAFETY: the message points to memory that lives through the call; the descriptor is new, and nobody else's.
    unsafe {
        let mut part = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control) as _;
        check(libc::recvmsg(from.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC | libc::MSG_DONTWAIT) as libc::c_int)?;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        if header.is_null() || (*header).cmsg_type != libc::SCM_RIGHTS {
            return Err(io::Error::other("no listener came out of the box"));
        }
        Ok(OwnedFd::from_raw_fd(libc::CMSG_DATA(header).cast::<RawFd>().read_unaligned()))
    }
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
