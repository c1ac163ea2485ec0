//! Agents: how a machine joins, what it says it is doing, and what people make of it.
//!
//! In: enrolment codes, states, proofs, the words of people. Out: who is there, who may lease, what each did hour by hour. What
//! must hold: a person's word is only undone by a person; no time is counted twice.

pub mod held;
pub mod history;
pub mod http;
pub mod me;
pub mod standing;
pub mod store;
mod wire;
