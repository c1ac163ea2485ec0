//! Client of the Offpeak API: upload, submit, wait, download.
//!
//! [`Client`] has every operation that programs call, generated from the API's description with the types that the description
//! itself is made of (`offpeak-api`), and what takes more than one request: [`Client::upload`], [`Client::wait`] and
//! [`Client::download`].
//!
//! ```no_run
//! # async fn example() -> Result<(), offpeak_client::Error> {
//! let offpeak = offpeak_client::Client::new("https://video.example.com", Some("ofp_…".to_owned()))?;
//! let source = offpeak.upload("all-hands.mov".as_ref(), |_, _| ()).await?;
//! let wanted = serde_json::from_value(serde_json::json!({ "source": { "upload": source } })).expect("a job");
//! let job = offpeak.create_job(&wanted).await?;
//! let job = offpeak.wait(&job.id, |job| eprintln!("{:.0} %", job.progress.fraction * 100.0)).await?;
//! offpeak.download(&job, None, "all-hands.mp4".as_ref()).await?;
//! # Ok(())
//! # }
//! ```

mod calls;
mod error;
mod events;
mod files;
mod generated;
mod retry;

pub use calls::Client;
pub use error::Error;
pub use events::Events;
pub use offpeak_api as api;
