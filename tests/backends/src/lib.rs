//! What tests and benchmarks start for themselves: a PostgreSQL server and an S3 server, each gone with the value that holds
//! it. Nothing here is part of the product.

#[cfg(unix)]
mod postgres;

#[cfg(unix)]
pub use postgres::{Durability, Postgres};
mod s3;

pub use s3::{Faults, S3Server};
