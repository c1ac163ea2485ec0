//! Makes sure that the folder of the built web pages exists, and that a new build of them is embedded.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let manifest_dir = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let dist = Path::new(&manifest_dir).join("../web-dashboard/dist");
    // The pages are built by npm, and a server without them is still a server: an empty folder embeds nothing, and
    // the routes then say what to do. rust-embed would refuse to compile without the folder.
    if !dist.exists() {
        fs::create_dir_all(&dist)?;
    }
    // Files come and go under hashed names, so it is the folder that has to be watched.
    println!("cargo::rerun-if-changed={}", dist.display());
    Ok(())
}
