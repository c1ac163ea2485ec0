//! An example for every body and parameter.
//!
//! Each is put together from its schema: from what the types say themselves (`#[schema(example = …)]`), from `examples.json`
//! beside this file, which names fields as `Type.field` or `*.field`, and else from the field's type. So an example has every
//! field that its type has, now and later.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::{Operation, answers};

static FIELDS: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("examples.json")).unwrap_or_default());

/// Types may hold themselves; deeper than this nothing is shown.
const DEEPEST: usize = 12;

pub fn add(operation: &mut Operation, components: &Value) {
    let maker = Maker { components };
    for parameter in &mut operation.parameters {
        let named = parameter["name"].as_str().map(str::to_owned).unwrap_or_default();
        if parameter["$ref"].is_string() || !parameter["example"].is_null() || !parameter["examples"].is_null() {
            continue;
        }
        parameter["example"] = maker.field("parameter", &named, &parameter["schema"], 0);
    }
    if let Some(body) = operation.said.get_mut("requestBody") {
        maker.contents(&mut body["content"], "");
    }
    let responses = operation.said.get_mut("responses").and_then(Value::as_object_mut);
    for (status, response) in responses.into_iter().flatten() {
        let description = response["description"].as_str().map(str::to_owned).unwrap_or_default();
        if response["content"].is_object() {
            maker.contents(&mut response["content"], status);
        }
        if let Some(content) = response.get_mut("content").and_then(|content| content.get_mut("application/problem+json")) {
            let (code, detail) = (code_of(status), format!("{description}."));
            content["examples"] = json!({ "problem": { "value": answers::problem(status, code, &detail) } });
        }
    }
}

/// A likely code for a status.
fn code_of(status: &str) -> &'static str {
    match status {
        "400" => "bad_request",
        "401" => "no_token",
        "403" => "wrong_kind_of_token",
        "404" => "job_not_found",
        "405" => "method_not_allowed",
        "408" => "body_cut",
        "409" => "conflict",
        "410" => "upload_gone",
        "412" => "wrong_tus_version",
        "413" => "source_too_large",
        "415" => "wrong_content_type",
        "416" => "out_of_range",
        "423" => "upload_locked",
        "426" => "engine_too_old",
        "460" => "checksum_mismatch",
        "503" => "not_ready",
        "507" => "storage_full",
        _ => "invalid_body",
    }
}

struct Maker<'a> {
    components: &'a Value,
}

impl Maker<'_> {
    fn contents(&self, contents: &mut Value, status: &str) {
        for (kind, content) in contents.as_object_mut().into_iter().flatten() {
            if !content["example"].is_null() || !content["examples"].is_null() {
                continue;
            }
            let value = match kind.as_str() {
                "application/json" => self.value("", &content["schema"], 0),
                "text/plain" => json!(if status == "200" { "ok\n" } else { "text" }),
                "text/event-stream" => {
                    let event = self.value("", &content["schema"]["contentSchema"], 0);
                    json!(format!("id: 1\nevent: job.created\ndata: {event}\n\n"))
                }
                _ => continue,
            };
            content["examples"] = json!({ "example": { "value": value } });
        }
    }

    /// An example of a field of that name.
    fn field(&self, owner: &str, name: &str, schema: &Value, depth: usize) -> Value {
        // Names are called alike, and mean things of several kinds: an id is shown as the id that it is.
        let is_id = schema["$ref"].as_str().is_some_and(|path| path.ends_with("Id"));
        let said = [format!("{owner}.{name}"), format!("*.{name}")];
        let said = said.iter().filter_map(|key| FIELDS.get(key)).find(|value| !is_id && self.fits(value, schema));
        said.cloned().unwrap_or_else(|| self.value("", schema, depth))
    }

    /// Fields of one name may be of several types.
    fn fits(&self, value: &Value, schema: &Value) -> bool {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/components/schemas/")) {
            return self.fits(value, &self.components["schemas"][name]);
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            return choices.iter().any(|choice| self.fits(value, choice));
        }
        if let Some(words) = schema["enum"].as_array() {
            return words.contains(value);
        }
        let is = |name: &str| match name {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_u64(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => false,
        };
        match &schema["type"] {
            Value::String(name) => is(name),
            Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
            _ => true,
        }
    }

    /// An example of a schema; `name` is that of the type, where it has one.
    fn value(&self, name: &str, schema: &Value, depth: usize) -> Value {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/components/schemas/")) {
            return FIELDS.get(name).cloned().unwrap_or_else(|| self.value(name, &self.components["schemas"][name], depth + 1));
        }
        let given = [&schema["example"], &schema["examples"][0], &schema["const"], &schema["default"], &schema["enum"][0]];
        if let Some(given) = given.into_iter().find(|given| !given.is_null() && self.fits(given, schema)) {
            return given.clone();
        }
        if depth > DEEPEST {
            return Value::Null;
        }
        if let Some(choices) = ["oneOf", "anyOf"].iter().find_map(|word| schema[word].as_array()) {
            // What may be null is shown as null, unless the field says otherwise.
            let null = choices.iter().any(|choice| choice["type"] == "null");
            let first = choices.iter().find(|choice| choice["type"] != "null");
            return match first {
                Some(first) if !null => self.value(name, first, depth + 1),
                Some(_) | None => Value::Null,
            };
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let mut whole = Map::new();
            for part in parts {
                if let Value::Object(fields) = self.value(name, part, depth + 1) {
                    whole.extend(fields);
                }
            }
            return whole.into();
        }
        self.of_type(name, schema, depth)
    }

    fn of_type(&self, name: &str, schema: &Value, depth: usize) -> Value {
        let least = schema["minimum"].as_f64();
        match schema["type"].as_str() {
            Some("object") => {
                let mut whole = Map::new();
                for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
                    whole.insert(field.clone(), self.field(name, field, schema, depth + 1));
                }
                if whole.is_empty() && schema["additionalProperties"].is_object() {
                    whole.insert("title".to_owned(), self.value("", &schema["additionalProperties"], depth + 1));
                }
                whole.into()
            }
            Some("array") => json!([self.value("", &schema["items"], depth + 1)]),
            Some("string") => match schema["format"].as_str() {
                Some("date-time") => json!("2026-11-25T09:30:00Z"),
                Some("uri") => json!("https://example.com/film.mp4"),
                _ => json!("text"),
            },
            Some("integer") => json!(least.map_or(1, |least| least.max(1.0) as u64)),
            Some("number") => json!(least.map_or(0.5, |least| least.max(0.5))),
            Some("boolean") => json!(false),
            // Null, or something that may be null.
            _ => Value::Null,
        }
    }
}
