//! The bundled programs, ffmpeg and ffprobe, as processes that are never trusted.
//!
//! In: a program, arguments, and a [`Loopback`](crate::loopback::Loopback) as its only way to any data. Out: how it
//! ended, what it printed, and the end of its log. What must hold: it runs in the box ([`crate::sandbox`]), it dies with the
//! engine, and neither its log nor its output can fill memory.
//!
//! ```text
//! let loopback = Loopback::start(ctx).await?;
//! let argv = Argv::new().arg("-of").arg("json").input_limits(FORMATS).arg("-i").arg(loopback.source_url());
//! let run = Run { sandbox, program: &ctx.tools.ffprobe, argv, limits: Limits::short(), loopback: Some(&loopback) };
//! let output = ffmpeg::capture(run, 16 << 20, &ctx.desk, &ctx.stop).await?;
//! loopback.check()?; // a source that could not be read must not look like a source that ended
//! ```

mod allowed;
mod argv;
mod capture;
mod explain;
mod log;
pub(crate) mod manifest;
mod process;
mod version;

pub use allowed::{FORMATS, MOST_STREAMS};
pub use argv::{ALIGNMENT_PIXELS, Argv};
pub(crate) use capture::cannot_start;
pub use capture::{Captured, capture};
pub use explain::explain;
pub use log::LogTail;
pub use process::{Ended, Process, Run};
pub(crate) use version::hex;
pub use version::{BuildError, identify, named, proven_encoders};
