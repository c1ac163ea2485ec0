//! Lets Tauri read its settings, and makes sure that the window's folder exists.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    let manifest_dir = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let dist = Path::new(&manifest_dir).join("../ui/dist");
    // npm builds it (`cargo xtask setup`). Tauri refuses to compile without the folder, and a shell without its window can
    // still be checked and tested.
    if !dist.exists() {
        fs::create_dir_all(&dist)?;
    }
    println!("cargo::rerun-if-changed={}", dist.display());
    tauri_build::build();
    Ok(())
}
