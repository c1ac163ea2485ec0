//! The real steps behind the lease loop: which folder does which kind of work.

use offpeak_api::{
    lease::{Capabilities, TaskResult},
    work::Work,
};
use tokio_util::sync::CancellationToken;

use crate::{
    audio,
    capabilities::{self, Incapable},
    encode, fetch, file,
    lease::{Outlets, Steps},
    probe,
    task::{TaskContext, TaskError, Tools},
};

/// Every kind of work, done with the bundled programs.
#[derive(Debug, Clone, Copy)]
pub struct Bundled;

impl Steps for Bundled {
    async fn run(&self, ctx: TaskContext, work: Work, outlets: Outlets) -> Result<TaskResult, TaskError> {
        match work {
            Work::Fetch(work) => {
                fetch::fetch(&ctx, &work, outlets.token.secret()).await?;
                Ok(TaskResult::Fetch {})
            }
            Work::Probe(work) => {
                let facts = probe::probe(&ctx, &work).await?;
                Ok(TaskResult::Probe { facts: Box::new(facts) })
            }
            Work::Encode(work) => {
                let end = encode::encode(&ctx, &work, outlets.pieces).await?;
                Ok(TaskResult::Encode { end_frame: end.end_frame, warnings: end.warnings })
            }
            Work::Audio(work) => {
                let end = audio::encode_audio(&ctx, &work, outlets.pieces).await?;
                Ok(TaskResult::Audio { segments: end.segments, warnings: end.warnings })
            }
            Work::File(work) => {
                let made = file::make_file(&ctx, &work, |object| outlets.file.address(object)).await?;
                Ok(TaskResult::File { attempt: made.attempt, bytes: made.bytes, sha256: made.sha256 })
            }
        }
    }

    async fn prove(&self, tools: &Tools, before: &Capabilities, stop: &CancellationToken) -> Result<Capabilities, Incapable> {
        let builds = capabilities::verify(tools).await?;
        capabilities::prove(tools, &builds, before.cores, before.memory_mib, stop).await
    }
}
