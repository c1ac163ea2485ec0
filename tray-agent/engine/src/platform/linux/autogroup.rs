//! Sessions that compete for the processor (`autogroup` in sched(7)).
//!
//! Kernels of desktops share it out between sessions first, and look at priorities only inside of each: so even the lowest one
//! gets as much as all that a person does, unless its session is weighed less.

use std::{fs, io, path::Path, ptr};

use nix::libc;

/// The lowest weight that there is, 15 of a normal session's 1024.
const LEAST: &[u8] = b"19";
/// The kernel lets ordinary users weigh one session in a tenth of a second, all of them together: so many tries, …
const TRIES: u32 = 6;
/// … so many nanoseconds apart, are longer than that.
const AGAIN_AFTER: libc::c_long = 20_000_000;
/// Where control groups of the second version are: alone, or beside those of the first.
const UNIFIED: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/// Whether this process's session, and any that it starts, counts by itself: the kernel has to do that at all, and no control
/// group around it may have a share of its own, as that comes first. What cannot be read is a no.
pub(in crate::platform) fn sessions_compete() -> bool {
    let is_on = fs::read_to_string("/proc/sys/kernel/sched_autogroup_enabled").is_ok_and(|value| value.trim() == "1");
    is_on && fs::read_to_string("/proc/self/cgroup").is_ok_and(|groups| !has_a_share(&groups, &UNIFIED.map(Path::new)))
}

/// Whether one of the control groups, as `/proc/self/cgroup` lists them (cgroups(7)), competes for the processor.
fn has_a_share(groups: &str, unified: &[&Path]) -> bool {
    groups.lines().any(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        match (fields.next(), fields.next()) {
            // The second version: the file is there wherever a group is weighed against its siblings, and not at the root.
            (Some(""), Some(path)) => {
                let group = Path::new(path.trim_start_matches('/'));
                group.ancestors().any(|ancestor| unified.iter().any(|root| root.join(ancestor).join("cpu.weight").exists()))
            }
            (Some(controllers), Some(path)) => path != "/" && controllers.split(',').any(|controller| controller == "cpu"),
            _ => true,
        }
    })
}

/// Makes the calling process's session count as little as can be, which matters where [`sessions_compete`]; whether the kernel took
/// that. To be called between fork and
/// exec, while a box still lets it.
#[expect(unsafe_code, reason = "between fork and exec only plain system calls may be made")]
pub(super) fn weigh_least() -> bool {
    let wait = libc::timespec { tv_sec: 0, tv_nsec: AGAIN_AFTER };
    // SAFETY: the path ends with a zero, the text is as long as it says, the descriptor is the one just opened, and the
    // time lives through the call.
    unsafe {
        let file = libc::open(c"/proc/self/autogroup".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if file < 0 {
            return false;
        }
        let mut is_weighed = false;
        for _ in 0..TRIES {
            is_weighed = libc::write(file, LEAST.as_ptr().cast(), LEAST.len()) >= 0;
            if is_weighed || io::Error::last_os_error().raw_os_error() != Some(libc::EAGAIN) {
                break;
            }
            libc::nanosleep(&raw const wait, ptr::null_mut());
        }
        libc::close(file);
        is_weighed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_with_a_share_of_its_own_comes_before_sessions() {
        let unified = tempfile::tempdir().expect("a folder");
        let app = unified.path().join("user.slice/app.scope");
        fs::create_dir_all(&app).expect("a group");
        let competes = |groups: &str| has_a_share(groups, &[Path::new("/nowhere"), unified.path()]);
        // The root of everything has no share, and no others beside it.
        for groups in ["", "0::/\n", "1:cpu:/\n0::/\n", "4:memory:/user\n1:cpu,cpuacct:/\n", "0::/user.slice/app.scope\n"] {
            assert!(!competes(groups), "{groups:?}");
        }
        for groups in ["2:cpu,cpuacct:/user.slice\n0::/\n", "1:cpu:/a\n", "not a list\n"] {
            assert!(competes(groups), "{groups:?}");
        }
        // Shares may have been given out further up only.
        fs::write(unified.path().join("user.slice/cpu.weight"), "100\n").expect("a share");
        assert!(competes("0::/user.slice/app.scope\n"));
        assert!(!competes("0::/system.slice\n"));
    }
}
