//! `make test`, `make lint`, `make openapi`: each a list of named steps with times.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    paths, say, sdk,
    setup::{self, Purpose},
    shell, supply,
};

/// Every test there is, on a machine where nothing was set up.
pub fn test() -> Result<()> {
    let mut list = List::default();
    list.step("set up", || setup::run(Purpose::Test))?;
    // End-to-end tests start these programs.
    list.step("build all programs", || shell::run(cargo().args(["build", "--workspace", "--bins"])))?;
    // Every step runs, so that one run shows all that is broken.
    list.go_on("tests", run_tests);
    list.go_on("examples in the documentation", || shell::run(cargo().args(["test", "--workspace", "--doc", "--quiet"])));
    list.go_on("tests of the web pages", || npm_script("test"));
    list.go_on("tests of the tray app's window", || window_script("test"));
    list.summary()
}

fn run_tests() -> Result<()> {
    if shell::find("cargo-nextest").is_some() {
        return shell::run(cargo().args(["nextest", "run", "--workspace", "--no-fail-fast"]));
    }
    say::detail("cargo-nextest is not installed, so this is plain `cargo test`, which is slower");
    shell::run(cargo().args(["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"]))
}

pub fn lint() -> Result<()> {
    let mut list = List::default();
    list.step("set up", || setup::run(Purpose::Tray).and_then(|()| setup::clients()))?;
    list.go_on("format (cargo fmt)", || shell::run(cargo().args(["fmt", "--all", "--check"])));
    list.go_on("clippy", || {
        // Nobody builds the targets of a fuzzer but a fuzzer: here they are looked at, too.
        let everything = ["--workspace", "--all-targets", "--features", "offpeak-fuzz/run"];
        shell::run(cargo().arg("clippy").args(everything).args(["--quiet", "--", "-D", "warnings"]))
    });
    if shell::find("cargo-deny").is_some() {
        list.go_on("licences, bans and sources of dependencies (cargo deny)", || {
            // It looks at the crates of every platform, and offline only at those that are here.
            shell::run(cargo().args(["fetch", "--quiet", "--locked"]))?;
            shell::run(cargo().args(["deny", "--offline", "check", "licenses", "bans", "sources"]))
        });
    } else {
        say::detail("cargo-deny is not installed, so licences are not checked (`cargo install cargo-deny --locked`)");
    }
    list.go_on("npm's lockfiles", supply::check_locks);
    list.go_on("the API's description (redocly)", || {
        shell::run(shell::npm(&paths::root().join("openapi/tools")).args(["run", "--silent", "lint"]))
    });
    list.go_on("types of the TypeScript client (tsc)", || {
        shell::run(shell::npm(&paths::root().join("openapi/sdk/typescript")).args(["run", "--silent", "check"]))
    });
    list.go_on("the Python client (ruff)", || {
        let ruff = setup::python::programs().join(format!("ruff{}", std::env::consts::EXE_SUFFIX));
        shell::run(Command::new(ruff).current_dir(paths::root().join("openapi/sdk/python")).args(["check", "--no-cache", "."]))
    });
    list.go_on("types of the web pages (tsc)", || npm_script("typecheck"));
    list.go_on("eslint", || npm_script("lint"));
    list.go_on("types of the tray app's window (tsc)", || window_script("typecheck"));
    list.go_on("eslint of the tray app's window", || window_script("lint"));
    list.summary()
}

/// Writes the API's description where tests look for it, and the clients that are made from it.
pub fn openapi() -> Result<()> {
    let path = paths::root().join("openapi/openapi.json");
    say::step(format_args!("Writing {}", path.display()));
    let text = shell::output(cargo().args(["run", "--quiet", "-p", "offpeak-server", "--", "openapi"]))?;
    serde_json::from_str::<serde_json::Value>(&text).context("`offpeak-server openapi` printed no JSON")?;
    if fs::read_to_string(&path).is_ok_and(|now| now == text) {
        say::detail("it is up to date");
    } else {
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    sdk::write()
}

fn cargo() -> Command {
    let mut cargo = shell::cargo();
    cargo.current_dir(paths::root());
    cargo
}

fn npm_script(name: &str) -> Result<()> {
    shell::run(shell::npm(&paths::root().join("web-dashboard")).args(["run", "--silent", name]))
}

fn window_script(name: &str) -> Result<()> {
    shell::run(shell::npm(&setup::window_folder()).args(["run", "--silent", name]))
}

/// What was done, how long it took, and what of it failed.
#[derive(Debug, Default)]
struct List {
    done: Vec<Done>,
}

#[derive(Debug)]
struct Done {
    name: &'static str,
    took: Duration,
    error: Option<anyhow::Error>,
}

impl List {
    /// A step without which nothing after it makes sense.
    fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        self.go_on(name, work);
        match self.done.last_mut().and_then(|done| done.error.take()) {
            Some(error) => Err(error.context(format!("cannot {name}"))),
            None => Ok(()),
        }
    }

    fn go_on(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) {
        say::step(name);
        let since = Instant::now();
        let error = work().err();
        self.done.push(Done { name, took: since.elapsed(), error });
    }

    fn summary(self) -> Result<()> {
        say::step("Summary");
        for done in &self.done {
            let outcome = if done.error.is_none() { "ok    " } else { "FAILED" };
            say::detail(format_args!("{outcome} {} ({})", done.name, say::seconds(done.took)));
        }
        let failed: Vec<String> =
            self.done.iter().filter_map(|done| Some(format!("{}: {:#}", done.name, done.error.as_ref()?))).collect();
        if !failed.is_empty() {
            bail!("{}", failed.join("\n       "));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_does_not_hide_another() {
        let mut list = List::default();
        list.go_on("a", || bail!("one"));
        list.go_on("b", || Ok(()));
        list.go_on("c", || bail!("two"));
        assert_eq!(list.summary().map_err(|e| e.to_string()), Err("a: one\n       c: two".to_owned()));
        assert!(List::default().step("x", || bail!("y")).is_err());
    }
}
