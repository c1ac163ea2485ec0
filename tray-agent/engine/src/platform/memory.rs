//! How much memory the machine has.

/// Bytes of memory that this process could use at most; `None` when the system does not tell.
pub fn total_bytes() -> Option<u64> {
    physical_bytes().map(|physical| container_bytes().map_or(physical, |limit| limit.min(physical)))
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "the size of memory has no safe wrapper on all Unix systems")]
fn physical_bytes() -> Option<u64> {
    use nix::libc;
    // SAFETY: two system calls without arguments that point anywhere.
    let (pages, bytes) = unsafe { (libc::sysconf(libc::_SC_PHYS_PAGES), libc::sysconf(libc::_SC_PAGESIZE)) };
    u64::try_from(pages).ok()?.checked_mul(u64::try_from(bytes).ok()?).filter(|bytes| *bytes > 0)
}

#[cfg(windows)]
#[expect(unsafe_code, reason = "the Windows API has no safe wrapper for the size of memory")]
fn physical_bytes() -> Option<u64> {
    use windows::Win32::System::SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX};
    let mut status = MEMORYSTATUSEX { dwLength: u32::try_from(size_of::<MEMORYSTATUSEX>()).ok()?, ..Default::default() };
    // SAFETY: the structure says its own length and lives through the call.
    unsafe { GlobalMemoryStatusEx(&raw mut status) }.ok()?;
    Some(status.ullTotalPhys)
}

/// The limit of the control group (version 2) that a container runs in, if it has one.
#[cfg(target_os = "linux")]
fn container_bytes() -> Option<u64> {
    std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok()?.trim().parse().ok()
}

#[cfg(not(target_os = "linux"))]
fn container_bytes() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_machine_has_memory() {
        let bytes = super::total_bytes().expect("the system tells");
        assert!((64 << 20..1 << 50).contains(&bytes), "{bytes}");
    }
}
