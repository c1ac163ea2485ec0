//! The ends of a lease: complete, release, fail; and what each means for the job.
//!
//! In: the holder's last word. Out: the task settled, and the job one step further: facts become a plan, the last segment
//! makes files due, the last file completes the job. What must hold: each in one transaction, repeats harmless.

pub mod advance;
pub mod failure;
pub mod http;
mod restarted;
pub mod store;
pub mod stuck;
mod take_away;
mod the_end;

pub use restarted::hand_back_of_others;
pub use take_away::take_away;
