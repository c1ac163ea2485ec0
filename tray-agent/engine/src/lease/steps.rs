//! Between the lease loop and the steps: which work is done by which step, and what comes back as its result.

use std::future::Future;

use offpeak_api::{
    lease::{Capabilities, TaskResult},
    work::Work,
};
use tokio_util::sync::CancellationToken;

use super::upload::FileUpload;
use crate::{
    capabilities::Incapable,
    client::Token,
    task::{Pieces, TaskContext, TaskError, Tools},
};

/// Where a step's results go besides its return value.
#[derive(Debug, Clone)]
pub struct Outlets {
    /// Segments and init segments of `encode` and `audio`. Rows are committed as they become whole.
    pub pieces: Pieces,
    /// Addresses for the file of a `file` task.
    pub file: FileUpload,
    /// The agent's token, for the step that appends to an upload itself.
    pub token: Token,
}

/// Does the work of leases. The engine has the real steps, tests of the loop have fake ones.
pub trait Steps: Send + Sync + 'static {
    /// Does `work` until it is done, has failed, or `ctx.stop` is cancelled. All pieces have been handed to
    /// `outlets.pieces`, and every clone of it is dropped, when the answer is there.
    fn run(&self, ctx: TaskContext, work: Work, outlets: Outlets) -> impl Future<Output = Result<TaskResult, TaskError>> + Send;

    /// Tries again what this machine can do, as at the engine's start.
    fn prove(
        &self,
        tools: &Tools,
        before: &Capabilities,
        stop: &CancellationToken,
    ) -> impl Future<Output = Result<Capabilities, Incapable>> + Send;
}
