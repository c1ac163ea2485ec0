//! How a lease can end before its task is done, and how calls are repeated until then.

use std::future::Future;

use offpeak_api::{lease::ReleaseReason, problem::Problem};
use tokio::time::Instant;
use tracing::{debug, info};

use super::Pace;
use crate::{
    backoff::Backoff,
    client::CallError,
    status::Status,
    task::{Failure, TaskError},
};

/// Why a lease is over, from the holder's side.
#[derive(Debug)]
pub enum Ending {
    /// 409: it is somebody else's. Nothing more is said about it.
    Lost(Box<Problem>),
    /// A heartbeat or a commit brought the order to stop.
    Ordered,
    /// The server does not know this agent any more.
    Revoked,
    /// It is handed back without blame: the engine stops, or whoever sits at the machine wants all of it.
    Released(ReleaseReason),
    /// The task failed: the lease is handed back with blame.
    Failed(Box<Failure>),
}

impl Ending {
    /// What a step's error means for its lease. A step is stopped only because its lease is ending already.
    pub fn of_step(error: TaskError) -> Self {
        match error {
            TaskError::Stopped => Self::Released(ReleaseReason::Shutdown),
            TaskError::Disturbed(why) => {
                info!("handing back: {why}");
                Self::Released(ReleaseReason::UserReturned)
            }
            TaskError::Failed(failure) => Self::Failed(Box::new(failure)),
        }
    }

    /// Something that should not happen and that only another agent may do better.
    pub fn mishap(code: &'static str, message: impl Into<String>) -> Self {
        Self::of_step(TaskError::agent(code, message))
    }
}

/// Makes a call of a lease until it is answered, or until nothing can come of it any more.
///
/// There is no limit on how long the server may be away: an expired lease stays valid until somebody takes its task, so the
/// only way to know that it is lost is to be told.
pub async fn persist<T, F>(pace: &Pace, status: &Status, what: &'static str, mut call: impl FnMut() -> F) -> Result<T, Ending>
where
    F: Future<Output = Result<T, CallError>>,
{
    let mut backoff = Backoff::new(pace.retry_first, pace.retry_most);
    let mut in_trouble_since: Option<Instant> = None;
    loop {
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match error {
            CallError::Lost(problem) => return Err(Ending::Lost(problem)),
            CallError::Unauthorized(_) => return Err(Ending::Revoked),
            CallError::TooOld(problem) | CallError::Refused(problem) | CallError::NotNow { problem, .. } => {
                return Err(refused(what, &problem));
            }
            CallError::Unreachable(why) => {
                in_trouble_since = None;
                debug!(call = what, "no answer, trying again: {why}");
            }
            CallError::Broken(problem) => {
                let since = *in_trouble_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= pace.trouble_limit {
                    return Err(refused(what, &problem));
                }
                debug!(call = what, "the server is in trouble, trying again: {}", problem.detail);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.next_wait()) => {}
            // Another call got through: leases have half a minute after an outage, so the rest should not sleep on.
            () = status.back() => {}
        }
    }
}

fn refused(what: &'static str, problem: &Problem) -> Ending {
    Ending::mishap("refused_by_server", format!("the server refused the engine's {what}: {} ({})", problem.detail, problem.code))
}
