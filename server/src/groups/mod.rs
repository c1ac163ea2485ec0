//! Groups of agents, and the policy that the agents of a group work by.

pub mod store;
