//! The Rust client's operations. Requests and answers are the types of `offpeak-api`, of which the description is made: another
//! generator would make a second set of them. So only functions are made here, a line or two each.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::paths;

/// The names of `offpeak-api`: in which module each type is, and which fields a query has.
struct Types {
    modules: BTreeMap<String, String>,
    queries: Vec<(String, BTreeSet<String>)>,
}

impl Types {
    fn read() -> Result<Self> {
        let mut types = Self { modules: BTreeMap::new(), queries: Vec::new() };
        let folder = paths::root().join("openapi/src");
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            let module = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            types.read_module(&module, &fs::read_to_string(&path)?);
        }
        types.queries.sort();
        Ok(types)
    }

    fn read_module(&mut self, module: &str, text: &str) {
        let (mut is_query, mut open): (bool, Option<usize>) = (false, None);
        for line in text.lines() {
            if module == "ids"
                && let Some((_, name)) = line.strip_prefix("id!(").and_then(|rest| rest.split_once("*/ "))
                && let Some((name, _)) = name.split_once(',')
            {
                self.modules.insert(name.to_owned(), module.to_owned());
            }
            is_query |= line.starts_with("#[into_params(");
            let declared = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "));
            if let Some(name) = declared.and_then(|rest| rest.split([' ', '(', '{', ';']).next()) {
                self.modules.insert(name.to_owned(), module.to_owned());
                open = is_query.then(|| {
                    self.queries.push((name.to_owned(), BTreeSet::new()));
                    self.queries.len() - 1
                });
                is_query = false;
            }
            if line == "}" {
                open = None;
            }
            if let (Some(at), Some((field, _))) = (open, line.strip_prefix("    pub ").and_then(|rest| rest.split_once(':'))) {
                self.queries[at].1.insert(field.to_owned());
            }
        }
    }

    fn path(&self, name: &str) -> Result<String> {
        let module = self.modules.get(name).with_context(|| format!("offpeak-api has no type {name}"))?;
        Ok(format!("offpeak_api::{module}::{name}"))
    }

    fn query(&self, fields: &BTreeSet<String>) -> Result<String> {
        let found = self.queries.iter().find(|(_, of_type)| of_type == fields);
        self.path(&found.with_context(|| format!("offpeak-api has no query with the fields {fields:?}"))?.0)
    }
}

fn referred(value: &Value) -> Option<&str> {
    value["$ref"].as_str()?.rsplit('/').next()
}

/// Functions for all operations whose bodies are JSON or nothing. Those of files and streams are written by hand.
pub fn generate(description: &Value) -> Result<String> {
    let types = Types::read()?;
    let mut text = String::from(
        "//! Generated from openapi/openapi.json by `make openapi`; do not edit.\n\nuse reqwest::Method;\n\n\
         use crate::{calls::Client, error::Error};\n\nimpl Client {\n",
    );
    let paths = description["paths"].as_object().context("the description has no paths")?;
    for (path, item) in paths {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if let Some(function) = function(&types, path, method, operation)? {
                text.push_str(&function);
            }
        }
    }
    text.truncate(text.trim_end().len());
    text.push_str("\n}\n");
    Ok(text)
}

fn function(types: &Types, path: &str, method: &str, operation: &Value) -> Result<Option<String>> {
    let body = match &operation["requestBody"] {
        Value::Null => None,
        body => match referred(&body["content"]["application/json"]["schema"]) {
            Some(name) => Some(types.path(name)?),
            None => return Ok(None),
        },
    };
    let success = operation["responses"].as_object().into_iter().flatten().find(|(status, _)| status.starts_with('2'));
    let (_, success) = success.context("an operation that cannot succeed")?;
    let answer = match &success["content"] {
        Value::Null => None,
        content => match referred(&content["application/json"]["schema"]) {
            Some(name) => Some(types.path(name)?),
            None => return Ok(None),
        },
    };
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is = |place: &'static str| parameters.iter().filter(move |parameter| parameter["in"] == place);
    // What the protocol of uploads says in headers is written by hand.
    if is("header").any(|parameter| parameter["required"] == true) {
        return Ok(None);
    }
    let id = operation["operationId"].as_str().context("an operation without a name")?;
    let mut arguments = String::new();
    for parameter in is("path") {
        let name = parameter["name"].as_str().unwrap_or_default();
        let kind = referred(&parameter["schema"]).map_or(Ok("str".to_owned()), |name| types.path(name))?;
        write!(arguments, ", {name}: &{kind}")?;
    }
    let query: BTreeSet<String> = is("query").filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect();
    if !query.is_empty() {
        write!(arguments, ", query: &{}", types.query(&query)?)?;
    }
    if let Some(body) = &body {
        write!(arguments, ", body: &{body}")?;
    }
    let parts =
        path.trim_start_matches('/').split('/').map(|part| match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some(name) if is("path").any(|p| p["name"] == name && referred(&p["schema"]).is_some()) => format!("{name}.as_str()"),
            Some(name) => name.to_owned(),
            None => format!("{part:?}"),
        });
    let parts = parts.collect::<Vec<_>>().join(", ");
    let method = method.to_uppercase();
    let mut request = match query.is_empty() {
        true => format!("self.operation(Method::{method}, &[{parts}])?"),
        false => format!("self.operation_with(Method::{method}, &[{parts}], query)?"),
    };
    if body.is_some() {
        request.push_str(".json(body)");
    }
    let once = parameters.iter().any(|parameter| referred(parameter) == Some("IdempotencyKey"));
    let send = if once { "once" } else { "send" };
    let result = answer.as_deref().unwrap_or("()");
    let mut text = String::new();
    for line in [&operation["summary"], &operation["description"]]
        .iter()
        .filter_map(|words| words.as_str())
        .collect::<Vec<_>>()
        .join("\n\n")
        .lines()
    {
        writeln!(text, "    ///{}{line}", if line.is_empty() { "" } else { " " })?;
    }
    writeln!(text, "    pub async fn {id}(&self{arguments}) -> Result<{result}, Error> {{")?;
    writeln!(text, "        let response = self.{send}({request}).await?;")?;
    match answer {
        Some(_) => writeln!(text, "        self.read(response).await")?,
        None => writeln!(text, "        drop(response);\n        Ok(())")?,
    }
    text.push_str("    }\n\n");
    Ok(Some(text))
}
