//! One lease from its grant to its end: the step runs, heartbeats go out, rows are delivered, and one last call says how it
//! ended.

use std::{sync::Arc, time::Duration};

use offpeak_api::{
    ids::LeaseId,
    lease::{CompleteRequest, FailRequest, Heartbeat, HolderState, Lease, ReleaseReason, ReleaseRequest, TaskResult},
    work::Work,
};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{debug, info, warn};

use super::{
    Pace,
    deliver::Delivery,
    ending::{Ending, persist},
    orders::Reins,
    rows::Assembly,
    steps::{Outlets, Steps},
    upload::{FileUpload, Uploader},
};
use crate::{
    backoff::Backoff,
    client::{CallError, Client},
    contribution::Tally,
    desk::{Allowed, Desk},
    status,
    task::{ProgressCell, TaskContext, TaskError, Tools},
};

/// Finished pieces that wait for the assembly.
const PIECES_IN_CHANNEL: usize = 4;
/// How long a step may take to end after it was stopped; then it is dropped, and its ffmpeg with it.
const STEP_STOP_LIMIT: Duration = Duration::from_secs(3);
/// The last call of a lease while the engine stops. Without it the lease expires by itself, only later.
const RELEASE_LIMIT: Duration = Duration::from_secs(3);

/// What every lease of this engine is held with.
#[derive(Debug)]
pub struct Holder<S> {
    pub client: Client,
    pub tools: Tools,
    pub steps: Arc<S>,
    pub pace: Pace,
    pub desk: Desk,
    pub tally: Tally,
    /// Cancelled when the engine is to stop.
    pub shutdown: CancellationToken,
}

/// How a lease ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    Completed,
    Failed,
    Released,
    Lost,
    /// The server does not know this agent any more.
    Revoked,
}

impl<S: Steps> Holder<S> {
    /// Holds `lease` to its end. `running` is the right to use the machine: it is given back as soon as the step is done,
    /// while the last rows are still on their way.
    pub async fn hold(&self, lease: Lease, running: OwnedSemaphorePermit) -> Held {
        let held = Arc::new(self.client.status().hold(in_hand(&lease)));
        info!(work = %describe(&lease.work), "leased");
        let stop = CancellationToken::new();
        let stop_on_return = stop.clone().drop_guard();
        let (news_out, mut news) = mpsc::channel(1);
        let (pieces_out, pieces) = mpsc::channel(PIECES_IN_CHANNEL);
        let uploader = Uploader::new(self.client.clone(), lease.id.clone(), self.pace, stop.clone());
        let reins = Reins::of(&lease.work);
        let progress = ProgressCell::default();
        let context = TaskContext {
            tools: self.tools.clone(),
            http: self.client.http.clone(),
            server: self.client.server.clone(),
            source: reins.source.subscribe(),
            end: reins.end.subscribe(),
            stop: stop.clone(),
            progress: progress.clone(),
            desk: self.desk.clone(),
        };
        let outlets =
            Outlets { pieces: pieces_out, file: FileUpload::new(uploader.clone(), news_out), token: self.client.token().clone() };

        let step_is_over = CancellationToken::new();
        let step = {
            let over = step_is_over.clone().drop_guard();
            let (steps, work) = (self.steps.clone(), lease.work.clone());
            let task = async move {
                let _over = over;
                steps.run(context, work, outlets).await
            };
            // The span of the lease goes along, so that what the step logs can be told apart.
            AbortOnDropHandle::new(tokio::spawn(tracing::Instrument::in_current_span(task)))
        };
        let delivery = Delivery {
            client: self.client.clone(),
            lease: lease.id.clone(),
            uploader,
            pace: self.pace,
            tally: matches!(lease.work, Work::Encode(_)).then(|| self.tally.clone()),
            held: held.clone(),
        };

        let outcome = {
            let done = finish(&delivery, &reins, Assembly::of(&lease.work), pieces, step, running);
            let beats = self.beat(&lease, &reins, &progress, &held);
            tokio::pin!(done, beats);
            let mut is_over = false;
            let first = tokio::select! {
                biased;
                Some(ending) = news.recv() => Err(ending),
                ending = &mut beats => Err(ending),
                done = &mut done => {
                    is_over = true;
                    done
                }
                why = self.let_go() => Err(Ending::Released(why)),
            };
            match first {
                Err(Ending::Released(why)) if !is_over => {
                    stop.cancel();
                    let finished = async {
                        tokio::select! {
                            done = &mut done => done,
                            ending = &mut beats => Err(ending),
                        }
                    };
                    match timeout(self.pace.shutdown_limit, finished).await {
                        // The step was stopped, or did not end in time; why, only this place knows.
                        Ok(Err(Ending::Released(_))) | Err(_) => Err(Ending::Released(why)),
                        Ok(outcome) => outcome,
                    }
                }
                other => {
                    // Before the last call, so that the machine is free as soon as nothing more is wanted of it.
                    stop.cancel();
                    if timeout(STEP_STOP_LIMIT, step_is_over.cancelled()).await.is_err() {
                        warn!("the step did not stop in time and is dropped");
                    }
                    other
                }
            }
        };
        drop(stop_on_return);
        held.hand_over();
        let ended = self.end(&lease.id, outcome).await;
        self.tally.lease_ended();
        ended
    }

    /// Waits until the lease is to be handed back without blame.
    async fn let_go(&self) -> ReleaseReason {
        tokio::select! {
            () = self.shutdown.cancelled() => ReleaseReason::Shutdown,
            why = self.desk.until_nothing() => why,
        }
    }

    /// Renews the lease for as long as it is held. Returns when it is over.
    async fn beat(&self, lease: &Lease, reins: &Reins, progress: &ProgressCell, held: &status::Held) -> Ending {
        let every = Duration::from_secs(lease.heartbeat_every_seconds).max(self.pace.heartbeat_least);
        let mut backoff = Backoff::new(self.pace.retry_first.min(every), every);
        let mut told = self.desk.allowed();
        self.until_due(every, &told).await;
        loop {
            told = self.desk.allowed();
            let (state, reason) = match &told {
                Allowed::Work => (HolderState::Encoding, None),
                Allowed::Suspended { reason } => (HolderState::Suspended, Some(reason.clone())),
                // Its last call is on its way.
                Allowed::Nothing { .. } => (HolderState::Suspended, None),
            };
            let beat = Heartbeat { state, reason, progress: progress.get() };
            let wait = match self.client.heartbeat(&lease.id, &beat).await {
                Ok(orders) => {
                    backoff = Backoff::new(self.pace.retry_first.min(every), every);
                    match reins.obey(orders) {
                        Ok(()) => {
                            reins.tell(held);
                            every
                        }
                        Err(ending) => return ending,
                    }
                }
                Err(CallError::Lost(problem)) => return Ending::Lost(problem),
                Err(CallError::Unauthorized(_)) => return Ending::Revoked,
                Err(error) => {
                    debug!("heartbeat failed: {error}");
                    backoff.next_wait()
                }
            };
            self.until_due(wait, &told).await;
        }
    }

    /// Waits for the next beat. That work stands still, or goes on, is told at once.
    async fn until_due(&self, wait: Duration, told: &Allowed) {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = self.desk.changed(told) => {}
        }
    }

    /// The last call of a lease, as its outcome demands.
    async fn end(&self, lease: &LeaseId, outcome: Result<TaskResult, Ending>) -> Held {
        let ending = match outcome {
            Ok(result) => {
                let request = CompleteRequest { result };
                match self.last_call("completion", || self.client.complete(lease, &request)).await {
                    Ok(()) => {
                        info!("completed");
                        return Held::Completed;
                    }
                    Err(ending) => ending,
                }
            }
            Err(ending) => ending,
        };
        match ending {
            Ending::Lost(problem) => {
                info!(code = problem.code, "the lease is lost: {}", problem.detail);
                Held::Lost
            }
            Ending::Ordered => {
                info!("ordered to stop");
                Held::Lost
            }
            Ending::Revoked => Held::Revoked,
            Ending::Released(reason) => {
                let request = ReleaseRequest { reason };
                let call = persist(&self.pace, self.client.status(), "release", || self.client.release(lease, &request));
                match timeout(RELEASE_LIMIT, call).await {
                    Ok(Ok(())) => info!(?reason, "released"),
                    Ok(Err(ending)) => debug!("the release was not wanted any more: {ending:?}"),
                    Err(_) => warn!("the lease could not be handed back in time; it will expire by itself"),
                }
                Held::Released
            }
            Ending::Failed(failure) => {
                warn!(code = failure.code, blame = ?failure.blame, "failed: {}", failure.message);
                let request = FailRequest {
                    code: failure.code.to_owned(),
                    message: failure.message,
                    blame: failure.blame,
                    log_tail: failure.log_tail,
                };
                match self.last_call("failure report", || self.client.fail(lease, &request)).await {
                    Err(Ending::Revoked) => Held::Revoked,
                    Ok(()) | Err(_) => Held::Failed,
                }
            }
        }
    }

    /// Repeats a last call until it is answered, but does not keep the engine from stopping.
    async fn last_call<F>(&self, what: &'static str, call: impl FnMut() -> F) -> Result<(), Ending>
    where
        F: Future<Output = Result<(), CallError>>,
    {
        let call = persist(&self.pace, self.client.status(), what, call);
        let give_up = async {
            self.shutdown.cancelled().await;
            tokio::time::sleep(RELEASE_LIMIT).await;
        };
        tokio::select! {
            answered = call => answered,
            () = give_up => Err(Ending::Released(ReleaseReason::Shutdown)),
        }
    }
}

/// Waits for the step and for all its rows.
async fn finish(
    delivery: &Delivery,
    reins: &Reins,
    assembly: Assembly,
    pieces: mpsc::Receiver<crate::task::Piece>,
    step: AbortOnDropHandle<Result<TaskResult, TaskError>>,
    running: OwnedSemaphorePermit,
) -> Result<TaskResult, Ending> {
    let stepped = async {
        let ended = step.await;
        delivery.held.hand_over();
        drop(running);
        Ok(ended)
    };
    let (unfinished_rows, ended) = tokio::try_join!(delivery.run(reins, assembly, pieces), stepped)?;
    match ended {
        Ok(Ok(_)) if unfinished_rows > 0 => {
            Err(Ending::mishap("incomplete_rows", format!("{unfinished_rows} rows lack a rendition although the step succeeded")))
        }
        Ok(Ok(result)) => Ok(result),
        Ok(Err(error)) => Err(Ending::of_step(error)),
        Err(error) => Err(Ending::mishap("engine_crashed", format!("the step crashed: {error}"))),
    }
}

/// What the person at the desk is told of it.
fn in_hand(lease: &Lease) -> offpeak_link::Work {
    let (kind, rows) = match &lease.work {
        Work::Fetch(_) => ("fetch", None),
        Work::Probe(_) => ("probe", None),
        Work::Encode(encode) => ("encode", Some(encode.rows)),
        Work::Audio(audio) => ("audio", Some(audio.rows)),
        Work::File(_) => ("file", None),
    };
    let rows = rows.map_or(0, |rows| rows.last.saturating_sub(rows.cursor));
    offpeak_link::Work { job_id: lease.job.clone(), kind: kind.to_owned(), rows_done: 0, rows, since: chrono::Utc::now() }
}

/// For the log: what is to be done, in one line.
fn describe(work: &Work) -> String {
    match work {
        Work::Fetch(_) => "fetch".to_owned(),
        Work::Probe(_) => "probe".to_owned(),
        Work::Encode(encode) => {
            let (rows, end) = (encode.rows, if encode.to_end { " to the end" } else { "" });
            format!("encode rows {}..{}{end} in {} renditions", rows.cursor, rows.last, encode.renditions.len())
        }
        Work::Audio(audio) => format!("audio {} rows {}..{}", audio.rendition, audio.rows.cursor, audio.rows.last),
        Work::File(file) => format!("file {}", file.name),
    }
}
