//! `offpeak-agent why`: asks the engine that runs on this machine, and looks at the machine itself where none does.
//!
//! The running engine answers on a socket in its state folder, which only its owner may enter: whoever connects is sent one line
//! of JSON, and nothing is read from them.

#[cfg(windows)]
mod pipe;

use std::{path::Path, time::Duration};

use offpeak_link::Why;
#[cfg(windows)]
use pipe::{Door, connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::task::AbortOnDropHandle;

use crate::{presence::Clock, status::Status, watch::Seen};

/// An engine that takes longer hangs.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);
const LONGEST_ANSWER: u64 = 1 << 20;

/// Everything of an answer, for a terminal.
pub fn in_words(why: &Why) -> String {
    let mut text = format!("{}: {}\nrule: {}\n", why.state.as_str(), why.reason, why.rule);
    let width =
        |of: fn(&offpeak_link::Reading) -> &str| why.readings.iter().map(|one| of(one).chars().count()).max().unwrap_or(0);
    let (names, values) = (width(|one| &one.name), width(|one| &one.value));
    for reading in &why.readings {
        text += &format!("  {:names$}  {:values$}  {}\n", reading.name, reading.value, reading.how);
    }
    text
}

/// What the engine that runs with this state folder says; `None` when none does.
pub async fn ask(folder: &Path) -> Option<Why> {
    let asked = async {
        let mut answer = Vec::new();
        connect(folder).await?.take(LONGEST_ANSWER).read_to_end(&mut answer).await?;
        offpeak_link::parse(&answer)
    };
    tokio::time::timeout(ANSWER_LIMIT, asked).await.ok()?.ok()
}

/// Answers for as long as the returned handle lives. An engine that cannot is as good as any other, and says so in its log.
pub fn answer(folder: &Path, status: Status, seen: Seen, clock: Clock) -> Option<AbortOnDropHandle<()>> {
    let mut door = match Door::open(folder) {
        Ok(door) => door,
        Err(error) => {
            tracing::debug!("`offpeak-agent why` cannot ask this engine: {error}");
            return None;
        }
    };
    let serve = async move {
        loop {
            let mut caller = match door.next().await {
                Ok(caller) => caller,
                Err(error) => {
                    tracing::debug!("nobody can ask why: {error}");
                    tokio::time::sleep(ANSWER_LIMIT).await;
                    continue;
                }
            };
            let Ok(line) = offpeak_link::line(&seen.why(&status, &clock)) else { continue };
            // Whoever went away does not want to know.
            let _ = tokio::time::timeout(ANSWER_LIMIT, async {
                caller.write_all(&line).await?;
                caller.shutdown().await
            })
            .await;
        }
    };
    Some(AbortOnDropHandle::new(tokio::spawn(serve)))
}

#[cfg(unix)]
struct Door(tokio::net::UnixListener);

#[cfg(unix)]
impl Door {
    fn open(folder: &Path) -> std::io::Result<Self> {
        let path = folder.join("why.sock");
        // The folder is locked by this engine: whatever lies there was left by one that is gone.
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        tokio::net::UnixListener::bind(path).map(Self)
    }

    async fn next(&mut self) -> std::io::Result<tokio::net::UnixStream> {
        self.0.accept().await.map(|(stream, _)| stream)
    }
}

#[cfg(unix)]
async fn connect(folder: &Path) -> std::io::Result<impl tokio::io::AsyncRead + Unpin + use<>> {
    tokio::net::UnixStream::connect(folder.join("why.sock")).await
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use offpeak_api::agent::AgentState;

    use super::*;

    #[tokio::test]
    async fn a_running_engine_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ask(folder.path()).await.is_none());
        let status = Status::default();
        let serving = answer(folder.path(), status.clone(), Seen::default(), Clock::start()).unwrap();
        assert_eq!(ask(folder.path()).await.unwrap().state, AgentState::Waiting);
        status.revoked(true);
        let why = ask(folder.path()).await.unwrap();
        assert_eq!(why.state, AgentState::Revoked);
        assert!(in_words(&why).starts_with("revoked: "), "{}", in_words(&why));
        drop(serving);
        // The socket of an engine that is gone stays, and answers nobody.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(ask(folder.path()).await.is_none());
        assert!(answer(folder.path(), status, Seen::default(), Clock::start()).is_some());
    }
}
