//! Keeps the machine awake while it works for the farm, on mains power only. The display may go dark.

const WHY: &str = "this computer encodes video for the farm";

/// Held while there is work in hand; taking and dropping is cheap enough to follow every lease.
#[derive(Debug, Default)]
pub struct WakeLock(Option<imp::Held>);

impl WakeLock {
    /// Takes or drops it. Nothing happens when it is as wanted already.
    pub async fn hold(&mut self, wanted: bool) {
        match (wanted, self.0.take()) {
            (true, None) => self.0 = imp::take(WHY).await,
            (true, held) => self.0 = held,
            (false, Some(held)) => imp::release(held).await,
            (false, None) => {}
        }
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use crate::presence::linux::{DesktopLock, block_idle_sleep};

    #[derive(Debug)]
    pub struct Held {
        /// Dropping it closes the descriptor, which ends the lock.
        _logind: Option<zbus::zvariant::OwnedFd>,
        desktop: Option<DesktopLock>,
    }

    /// Where nothing puts the machine to sleep there is nothing to be locked.
    pub async fn take(why: &str) -> Option<Held> {
        Some(Held { _logind: block_idle_sleep(why).await, desktop: DesktopLock::take(why).await })
    }

    pub async fn release(held: Held) {
        if let Some(desktop) = held.desktop {
            desktop.release().await;
        }
    }
}

#[cfg(windows)]
mod imp {
    pub use crate::presence::windows::{Held, release, take};
}

#[cfg(target_os = "macos")]
mod imp {
    pub use crate::presence::macos::{Held, release, take};
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod imp {
    #[derive(Debug)]
    pub struct Held;

    pub async fn take(_why: &str) -> Option<Held> {
        None
    }

    pub async fn release(_held: Held) {}
}
