//! What an engine does that is given no work: it waits, and where its failures were the reason, it proves itself again.

use std::{sync::Arc, time::Duration};

use offpeak_api::{
    agent::{ProofReport, Standing},
    lease::Capabilities,
    problem::Problem,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Pace, ask::Revoked, steps::Steps};
use crate::{
    client::{CallError, Client, SANDBOX_REQUIRED, SET_ASIDE},
    task::Tools,
};

/// When the server does not say how long to wait.
const USUAL_WAIT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Bench<S> {
    pub client: Client,
    pub tools: Tools,
    pub steps: Arc<S>,
    pub pace: Pace,
    pub stop: CancellationToken,
}

impl<S: Steps> Bench<S> {
    /// Waits as long as the server said. An agent that was set aside then tries its encoders, and says what they proved;
    /// whether that helps shows when it asks for work again. Returns what was proved.
    pub async fn sit(
        &self,
        refusal: &Problem,
        retry_after_seconds: Option<u32>,
        before: &Capabilities,
    ) -> Result<Option<Capabilities>, Revoked> {
        let status = self.client.status();
        let set_aside = refusal.code == SET_ASIDE;
        let unboxed = refusal.code == SANDBOX_REQUIRED;
        status.set_aside(set_aside.then(|| refusal.detail.clone()));
        status.unboxed(unboxed.then(|| refusal.detail.clone()));
        status.draining((!set_aside && !unboxed).then(|| refusal.detail.clone()));
        self.wait(retry_after_seconds).await;
        if !set_aside {
            return Ok(None);
        }
        let proven = match self.steps.prove(&self.tools, before, &self.stop).await {
            Ok(proven) => proven,
            Err(error) => {
                warn!("a new test of the encoders failed: {error}");
                status.broken(Some(error.fault(false)));
                return Ok(None);
            }
        };
        status.broken(None);
        match self.client.prove(&ProofReport { capabilities: proven.clone() }).await {
            Ok(orders) if orders.standing == Standing::Active => info!("the encoders work again, and the server knows"),
            Ok(_) => {}
            Err(CallError::Unauthorized(_)) => return Err(Revoked),
            // A person set it aside, or it is too early.
            Err(CallError::NotNow { retry_after_seconds, .. }) => self.wait(retry_after_seconds).await,
            Err(error) => warn!("the server was not told that the encoders work: {error}"),
        }
        Ok(Some(proven))
    }

    /// Work is given again.
    pub fn leave(&self) {
        let status = self.client.status();
        status.set_aside(None);
        status.draining(None);
        status.unboxed(None);
    }

    /// Up to a tenth longer than asked, so that engines which were told the same do not come back in the same moment.
    async fn wait(&self, retry_after_seconds: Option<u32>) {
        let wait =
            retry_after_seconds.map_or(USUAL_WAIT, |seconds| Duration::from_secs(seconds.into())).max(self.pace.retry_first);
        tokio::time::sleep(wait.mul_f64(rand::random_range(1.0..=1.1))).await;
    }
}
