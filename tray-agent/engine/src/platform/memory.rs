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

/// Bytes that this user may still write to the disk that a folder is on; `None` when the system does not tell.
#[cfg(unix)]
pub fn free_bytes(folder: &std::path::Path) -> Option<u64> {
    let about = nix::sys::statvfs::statvfs(folder).ok()?;
    // The types differ between systems.
    #[expect(clippy::useless_conversion, reason = "these are 32 bits wide on some systems")]
    Some(u64::from(about.blocks_available()) * u64::from(about.fragment_size()))
}

#[cfg(windows)]
#[expect(unsafe_code, reason = "the Windows API has no safe wrapper for the room on a disk")]
pub fn free_bytes(folder: &std::path::Path) -> Option<u64> {
    use windows::{Win32::Storage::FileSystem::GetDiskFreeSpaceExW, core::HSTRING};
    let mut free = 0;
    // SAFETY: the name lives through the call, and the number is written to a place of ours.
    unsafe { GetDiskFreeSpaceExW(&HSTRING::from(folder.as_os_str()), Some(&raw mut free), None, None) }.ok()?;
    Some(free)
}

/// Processor time of all programs that this process started and that have ended, in seconds.
#[cfg(unix)]
pub fn children_cpu_seconds() -> f64 {
    use nix::sys::resource::{UsageWho, getrusage};
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0.0, |used| seconds(used.user_time()) + seconds(used.system_time()))
}

/// Windows keeps no such sum; the jobs that programs run in do, and are added up as they end.
#[cfg(windows)]
pub fn children_cpu_seconds() -> f64 {
    super::windows::ended_cpu_seconds()
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_machine_has_memory() {
        let bytes = super::total_bytes().expect("the system tells");
        assert!((64 << 20..1 << 50).contains(&bytes), "{bytes}");
    }
}
