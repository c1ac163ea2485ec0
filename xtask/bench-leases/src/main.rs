//! `make bench-leases`: how fast tasks go through leases, over HTTP, against what the same machine can do in the same minutes.
//!
//! `docs/decisions/leases-measured.md` says what the figures mean, and what they were.

#[cfg(unix)]
mod bench;

#[cfg(unix)]
fn main() -> anyhow::Result<()> {
    bench::main()
}

// PostgreSQL is started from Debian's package, and memory and processor time are read from Linux's /proc.
#[cfg(not(unix))]
fn main() {
    eprintln!("error: bench-leases runs on Linux");
    std::process::exit(1);
}
