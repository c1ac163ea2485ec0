//! The harness of the end-to-end tests: the real server, real engines and the real ffmpeg, as processes of their own.
//!
//! - [`system`] starts them in a folder that goes away, and stops or kills them;
//! - [`display`] is a desk with keys and a mouse, [`tree`] what a process and all below it use;
//! - [`logind`] is a system that can be told to sleep, [`linked`] an engine with a shell, which the test plays;
//! - [`compositor`] is a Wayland session;
//! - [`client`] talks to the server as a program would;
//! - [`sources`] makes films that are hard to cut, and [`reference`] what one uncut run of ffmpeg makes of them;
//! - [`stream`] fetches a result like a player, [`playlist`] and [`fragments`] read it without trusting our own code;
//! - [`frames`] and [`sound`] compare result and reference, [`exact`] a whole job;
//! - [`history`] reads from a job's events who did what, and that nothing was done twice;
//! - [`proxy`] is a bad network on command, [`recorded`] what went over it; [`balancer`] stands before several servers;
//! - [`browser`] is a person at a browser, by a script of `tests/browser`;
//! - [`schedule`] says what goes wrong when, [`waste`] what that cost;
//! - [`secrets`] reads every program's log for what nobody may find there.
//!
//! What goes wrong panics with words: a test that cannot go on should stop there, and the logs of all processes follow.

pub mod balancer;
pub mod browser;
pub mod client;
#[cfg(target_os = "linux")]
pub mod compositor;
pub mod cutter;
pub mod display;
pub mod exact;
pub mod fragments;
pub mod frames;
pub mod history;
pub mod linked;
#[cfg(target_os = "linux")]
pub mod logind;
pub mod playlist;
pub mod process;
pub mod programs;
pub mod proxy;
pub mod recorded;
pub mod reference;
pub mod schedule;
pub mod secrets;
pub mod sound;
pub mod sources;
pub mod stream;
pub mod system;
pub mod tree;
pub mod waste;
