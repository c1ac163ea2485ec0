//! Clients, made from `openapi/openapi.json`: only what is generated; what is written by hand lies beside it and stays.

mod rust;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{paths, say, setup, shell};

const TYPESCRIPT: &str = "openapi/sdk/typescript/src/schema.ts";
const PYTHON: &str = "openapi/sdk/python/offpeak/generated";
const RUST: &str = "openapi/sdk/rust/src/generated.rs";

/// Makes all of them anew, in a folder that is laid out like the checkout.
fn make(into: &Path) -> Result<()> {
    let text = fs::read_to_string(paths::root().join("openapi/openapi.json")).context("cannot read openapi/openapi.json")?;
    let description = for_programs(serde_json::from_str(&text).context("openapi/openapi.json is no JSON")?);
    rust(&description, &into.join(RUST))?;
    let file = paths::scratch().join(format!("api-of-programs-{}.json", std::process::id()));
    fs::create_dir_all(paths::scratch())?;
    fs::write(&file, serde_json::to_vec(&description)?).with_context(|| format!("cannot write {}", file.display()))?;
    let made = typescript(&file, &into.join(TYPESCRIPT)).and_then(|()| python(&file, &into.join(PYTHON)));
    fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    made
}

/// The part of the API that programs call. Agents have a client of their own, the engine's; signed addresses need none.
fn for_programs(mut description: Value) -> Value {
    let others = ["/v1/leases", "/v1/agents/me/", "/v1/agents/enrol", "/blob/"];
    if let Some(paths) = description["paths"].as_object_mut() {
        paths.retain(|path, _| !others.iter().any(|other| path.starts_with(other)));
        for item in paths.values_mut().filter_map(Value::as_object_mut) {
            // What browsers and tus ask before they ask.
            item.remove("options");
        }
        paths.retain(|_, item| item.as_object().is_some_and(|item| !item.is_empty()));
    }
    // What was meant for the removed paths only goes too; what a removed type held may then be unused itself.
    loop {
        let used = references(&description);
        let schemas = description["components"]["schemas"].as_object_mut();
        let Some(schemas) = schemas else { return description };
        let before = schemas.len();
        schemas.retain(|name, _| used.contains(&format!("#/components/schemas/{name}")));
        if schemas.len() == before {
            return description;
        }
    }
}

fn rust(description: &Value, file: &Path) -> Result<()> {
    fs::create_dir_all(file.parent().context("no folder")?)?;
    fs::write(file, rust::generate(description)?).with_context(|| format!("cannot write {}", file.display()))?;
    // By the settings of the checkout, wherever the file is.
    let settings = paths::root().join("rustfmt.toml");
    shell::output(Command::new("rustfmt").args(["--edition", "2024", "--config-path"]).arg(settings).arg(file)).map(|_| ())
}

fn references(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                open.extend(fields.values());
            }
            Value::Array(values) => open.extend(values),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

fn typescript(description: &Path, file: &Path) -> Result<()> {
    let generator = paths::root().join("openapi/tools/node_modules/openapi-typescript/bin/cli.js");
    let folder = file.parent().context("no folder")?;
    fs::create_dir_all(folder)?;
    let mut command = Command::new("node");
    // It would lint by the rules of the folder that it runs in.
    command.current_dir(folder).arg(generator).arg(description).arg("--output").arg(file);
    shell::output(&mut command).map(|_| ())
}

fn python(description: &Path, folder: &Path) -> Result<()> {
    let programs = setup::python::programs();
    // The generator calls ruff by its name.
    let mut path = vec![programs.clone()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let mut command = Command::new(programs.join(format!("openapi-python-client{}", env::consts::EXE_SUFFIX)));
    command.env("PATH", env::join_paths(path)?).args(["generate", "--meta", "none", "--overwrite", "--path"]);
    command.arg(description).arg("--config").arg(paths::root().join("openapi/tools/python-client.yaml"));
    let said = shell::output(command.arg("--output-path").arg(folder))?;
    if said.contains("WARNING") || said.contains("Warning") {
        bail!("the Python client lacks something:\n{said}");
    }
    Ok(())
}

/// Writes the clients into the checkout.
pub fn write() -> Result<()> {
    say::step("Making the TypeScript, Python and Rust clients");
    setup::clients()?;
    make(&paths::root())
}

/// Fails when a client is not what the description makes.
pub fn check() -> Result<()> {
    setup::clients()?;
    let folder = paths::scratch().join(format!("clients-{}", std::process::id()));
    let made = make(&folder).and_then(|()| compare(&folder));
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    made
}

fn compare(folder: &Path) -> Result<()> {
    for place in [TYPESCRIPT, PYTHON, RUST] {
        let (now, made) = (contents(&paths::root().join(place))?, contents(&folder.join(place))?);
        if made.is_empty() {
            bail!("nothing was made for {place}");
        }
        if let Some(name) = made.keys().chain(now.keys()).find(|name| now.get(*name) != made.get(*name)) {
            bail!("{place} is out of date ({}); refresh it with: make openapi", name.display());
        }
    }
    Ok(())
}

/// A file, or all files of a folder, by their paths in it.
fn contents(place: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![place.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        } else if path.is_file() && !path.components().any(|part| part.as_os_str().to_string_lossy().starts_with("__pycache__")) {
            found.insert(path.strip_prefix(place)?.to_owned(), fs::read(&path)?);
        }
    }
    found.retain(|name, _| !name.starts_with(".ruff_cache"));
    Ok(found)
}
