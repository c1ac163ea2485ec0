//! What a person at the desk wants of the engine as a whole; each is answered when it is done.

use offpeak_link::Answer;
use tokio::sync::{mpsc, oneshot};
use url::Url;

use crate::link::refused;

#[derive(Debug)]
pub enum Demand {
    Join { link_or_code: String, server: Option<Url>, name: Option<String> },
    Leave,
    PrepareUpdate,
    Quit,
}

/// A demand, and where its answer goes.
#[derive(Debug)]
pub struct Made {
    pub demand: Demand,
    pub answer: Reply,
}

#[derive(Debug)]
pub struct Reply(oneshot::Sender<Answer>);

impl Reply {
    pub fn give(self, answer: Answer) {
        // Whoever asked may be gone.
        let _ = self.0.send(answer);
    }
}

/// Makes demands. Clones speak to the same engine.
#[derive(Debug, Clone)]
pub struct Demands(mpsc::Sender<Made>);

/// Receives them.
#[derive(Debug)]
pub struct Demanded(mpsc::Receiver<Made>);

impl Demands {
    pub fn channel() -> (Self, Demanded) {
        let (made, received) = mpsc::channel(4);
        (Self(made), Demanded(received))
    }

    pub async fn make(&self, demand: Demand) -> Answer {
        let gone = || refused("ending", "The agent is ending.".to_owned());
        let (reply, answer) = oneshot::channel();
        if self.0.send(Made { demand, answer: Reply(reply) }).await.is_err() {
            return gone();
        }
        answer.await.unwrap_or_else(|_dropped| gone())
    }
}

impl Demanded {
    /// The next one; never, when nobody can make any.
    pub async fn next(&mut self) -> Made {
        match self.0.recv().await {
            Some(made) => made,
            None => std::future::pending().await,
        }
    }
}
