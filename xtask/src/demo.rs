//! `make demo` and `make dev`: the whole system on this machine, one video through it, and then left running.

use std::{
    env, fs,
    fs::File,
    path::{Path, PathBuf},
    thread::available_parallelism,
};

use anyhow::{Context, Result, anyhow, bail};

use crate::{
    child::Child,
    film, interrupt, paths, say, setup,
    system::{Build, Programs, System},
};

/// What `make demo` may be told, from the command line or the environment (`make demo VIDEO=…` exports it).
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// A video of yours instead of the test film
    #[arg(long, env = "VIDEO", value_name = "PATH")]
    video: Option<PathBuf>,
    /// Which profile to encode it with
    #[arg(long, env = "PROFILE", default_value = "hls-h264", value_name = "NAME")]
    profile: String,
    /// End when the job is over, with its outcome as the exit code, instead of running on
    #[arg(long, env = "DETACH", value_name = "0|1", action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "1",
        default_value = "0", value_parser = switch)]
    detach: bool,
}

/// `DETACH=1` and `DETACH=0` as people write them in a shell.
fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "yes" => Ok(true),
        "" | "0" | "false" | "no" => Ok(false),
        _ => Err("expected 1 or 0".to_owned()),
    }
}

pub fn demo(demo: &Demo) -> Result<()> {
    let video = demo.video.as_deref().filter(|path| !path.as_os_str().is_empty()).map(absolute).transpose()?;
    let _only_one = lock()?;
    setup::run(setup::Purpose::Run)?;
    let programs = Programs::build(Build::Dev)?;
    let video = match video {
        Some(video) => video,
        None => film::one_minute()?,
    };
    let mut system = start(programs, 2)?;
    // The outer error: the system itself broke, or somebody wants it to end. Dropping it stops everything.
    let outcome = submit(&mut system, &video, &demo.profile)?;
    if demo.detach {
        stop(system);
        return outcome;
    }
    match &outcome {
        Ok(()) => say::step("Done. Open the address called `watch` in a browser; the system goes on running"),
        Err(error) => say::step(format_args!("{error:#}. The system goes on running, so that you can look into it")),
    }
    addresses(&system);
    run_on(&mut system)?;
    stop(system);
    outcome
}

/// One server, one engine, nothing submitted.
pub fn dev() -> Result<()> {
    let _only_one = lock()?;
    setup::run(setup::Purpose::Run)?;
    let mut system = start(Programs::build(Build::Dev)?, 1)?;
    addresses(&system);
    say::detail("after a change: Ctrl-C and `make dev` again; the database stays");
    run_on(&mut system)?;
    stop(system);
    Ok(())
}

/// Removes what demos have left behind.
pub fn clean() -> Result<()> {
    let _nobody_runs = lock()?;
    let folder = folder();
    let removed = fs::remove_dir_all(&folder);
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        Ok(()) | Err(_) => {
            say::step(format_args!("Removed {} (films and tools stay in {})", folder.display(), paths::scratch().display()));
            Ok(())
        }
    }
}

fn folder() -> PathBuf {
    paths::scratch().join("demo")
}

fn absolute(path: &Path) -> Result<PathBuf> {
    // `make` runs at the top of the checkout, wherever it was called from with -C.
    let path = path.strip_prefix("~").map_or(path.to_owned(), |rest| env::home_dir().unwrap_or_default().join(rest));
    let found = fs::canonicalize(&path).with_context(|| format!("cannot find VIDEO={}", path.display()))?;
    if !found.is_file() {
        bail!("VIDEO={} is not a file", path.display());
    }
    Ok(found)
}

/// Two demos over one database would fight for it. Held until dropped, or until this program is gone.
fn lock() -> Result<File> {
    fs::create_dir_all(paths::scratch())?;
    let path = paths::scratch().join("demo.lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => bail!("another `make demo` or `make dev` is running in this checkout; stop it with Ctrl-C first"),
    }
}

fn start(programs: Programs, engines: usize) -> Result<System> {
    say::step(format_args!("Starting the server and {engines} engine{}", if engines == 1 { "" } else { "s" }));
    let mut system = System::start(programs, &folder())?;
    // Together they may use the whole machine.
    let cores = available_parallelism().map_or(1, |cores| cores.get().div_ceil(engines));
    for _ in 0..engines {
        system.add_engine(cores)?;
    }
    say::detail(format_args!("server at {}, data in {}, logs in {}", system.url(), folder().display(), system.logs().display()));
    Ok(system)
}

/// `offpeak submit --watch`, while everything else is watched over: the inner result is the job's.
fn submit(system: &mut System, video: &Path, profile: &str) -> Result<Result<()>> {
    say::step(format_args!("Submitting {} with profile {profile}", video.display()));
    let mut command = system.offpeak();
    command.arg("submit").arg(video).args(["--profile", profile, "--watch"]);
    let mut watcher = Child::on_terminal("offpeak submit", command)?;
    loop {
        if let Some(status) = watcher.ended()? {
            return Ok(if status.success() { Ok(()) } else { Err(anyhow!("the job did not complete; the reason is above")) });
        }
        if interrupt::happened() {
            bail!("interrupted before the job was complete");
        }
        system.must_run()?;
        std::thread::sleep(interrupt::LOOK_EVERY);
    }
}

fn addresses(system: &System) {
    let url = system.url();
    say::detail(format_args!("dashboard  {url}/"));
    if let Some(link) = system.setup_link() {
        say::detail(format_args!("           make your account first: {link}"));
    }
    say::detail(format_args!("API        {url}/docs"));
    say::detail(format_args!("more       export OFFPEAK_URL={url} OFFPEAK_TOKEN=$(cat {})", folder().join("token").display()));
    say::detail(format_args!("           {} jobs", system.programs.offpeak.display()));
    say::detail(format_args!("logs       {}", system.logs().display()));
}

fn run_on(system: &mut System) -> Result<()> {
    say::step("Running until Ctrl-C");
    while !interrupt::happened() {
        system.must_run()?;
        std::thread::sleep(interrupt::LOOK_EVERY);
    }
    Ok(())
}

fn stop(mut system: System) {
    say::step("Stopping");
    system.stop();
    say::detail("stopped; what was made is kept for the next time (`make clean-demo` removes it)");
}
