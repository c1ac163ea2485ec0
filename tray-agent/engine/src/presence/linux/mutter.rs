//! Mutter, GNOME's compositor, tells of idleness on the session bus.

use std::time::Duration;

use futures_util::StreamExt;
use tokio_util::task::AbortOnDropHandle;

use super::bus::{At, session_bus};
use crate::presence::{News, NewsSender};

const MONITOR: At = At::new("org.gnome.Mutter.IdleMonitor", "/org/gnome/Mutter/IdleMonitor/Core", "org.gnome.Mutter.IdleMonitor");
/// A watch goes off once; a person who types is not waited for more often than this.
const WATCH_AGAIN_AFTER: Duration = Duration::from_millis(900);

#[derive(Debug)]
pub struct Mutter {
    watcher: AbortOnDropHandle<()>,
}

impl Mutter {
    pub async fn open(news: NewsSender) -> Result<Self, String> {
        let bus = session_bus().await?;
        let said = |error: zbus::Error| error.to_string();
        if !MONITOR.is_there(&bus).await {
            return Err("it does not run here".to_owned());
        }
        MONITOR.call::<_, u64>(&bus, "GetIdletime", &()).await?;
        let proxy = zbus::Proxy::new(&bus, MONITOR.service, MONITOR.path, MONITOR.interface).await.map_err(said)?;
        let mut fired = proxy.receive_signal("WatchFired").await.map_err(said)?;
        let watch = async move {
            loop {
                let Ok(id) = MONITOR.call::<_, u32>(&bus, "AddUserActiveWatch", &()).await else { return };
                loop {
                    let Some(signal) = fired.next().await else { return };
                    if signal.body().deserialize::<u32>().is_ok_and(|of| of == id) {
                        break;
                    }
                }
                if news.send(News::Input).is_err() {
                    return;
                }
                tokio::time::sleep(WATCH_AGAIN_AFTER).await;
            }
        };
        Ok(Self { watcher: AbortOnDropHandle::new(tokio::spawn(watch)) })
    }

    pub async fn idle(&self) -> Result<Duration, String> {
        if self.watcher.is_finished() {
            return Err("it is gone".to_owned());
        }
        Ok(Duration::from_millis(MONITOR.call(&session_bus().await?, "GetIdletime", &()).await?))
    }
}
