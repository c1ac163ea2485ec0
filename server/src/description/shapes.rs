//! What the gathered description says in ways that tools do not understand.

use serde_json::{Map, Value, json};

pub fn tidy(api: &mut Value) {
    plain_paths(api);
    everywhere(api, &mut |value| {
        described_parameter(value);
        unsigned(value);
        optional_parameter(value);
        bytes(value);
        problem_content(value);
    });
}

/// `{*key}` is the router's way to say that a parameter goes to the end of the path.
fn plain_paths(api: &mut Value) {
    let paths = api["paths"].as_object_mut().map(std::mem::take).unwrap_or_default();
    api["paths"] = paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect::<Map<_, _>>().into();
}

fn everywhere(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|value| everywhere(value, change));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| everywhere(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// An id says by its type what it names.
fn described_parameter(fields: &mut Map<String, Value>) {
    if !(fields.contains_key("in") && fields.contains_key("name")) || fields.contains_key("description") {
        return;
    }
    let named =
        fields["schema"]["$ref"].as_str().and_then(|path| path.rsplit('/').next()).and_then(|name| name.strip_suffix("Id"));
    let description = match named {
        Some(thing) => format!("The {}'s id", thing.to_lowercase()),
        None => format!("The {}", fields["name"].as_str().unwrap_or_default()),
    };
    fields.insert("description".to_owned(), description.into());
}

/// Numbers that begin at 0 go twice as far as those with a sign, which is what they are said to be.
fn unsigned(fields: &mut Map<String, Value>) {
    if fields.get("minimum").and_then(Value::as_f64).is_none_or(|least| least < 0.0) {
        return;
    }
    match fields.get("format").and_then(Value::as_str) {
        Some("int32") => {
            fields.insert("format".to_owned(), "uint32".into());
            fields.entry("maximum").or_insert_with(|| u32::MAX.into());
        }
        Some("int64") => {
            fields.insert("format".to_owned(), "uint64".into());
            fields.entry("maximum").or_insert_with(|| u64::MAX.into());
        }
        Some(_) | None => {}
    }
}

/// A parameter is absent; it is never null.
fn optional_parameter(fields: &mut Map<String, Value>) {
    if !(fields.contains_key("in") && fields.contains_key("name")) {
        return;
    }
    let Some(schema) = fields.get_mut("schema").and_then(Value::as_object_mut) else { return };
    let types = schema.get("type").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut types = types.into_iter().filter(|name| name != "null");
    if let (Some(only), None) = (types.next(), types.next()) {
        schema.insert("type".to_owned(), only);
    }
    let choices = schema.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut choices = choices.into_iter().filter(|choice| choice["type"] != "null");
    if let (Some(Value::Object(only)), None) = (choices.next(), choices.next()) {
        schema.remove("oneOf");
        schema.extend(only);
    }
}

/// Bytes are bytes, not a list of numbers.
fn bytes(fields: &mut Map<String, Value>) {
    for kind in ["application/octet-stream", "application/offset+octet-stream"] {
        if let Some(content) = fields.get_mut(kind).and_then(Value::as_object_mut) {
            content.insert("schema".to_owned(), json!({ "type": "string", "format": "binary" }));
        }
    }
    // The stream is text, whose `data` lines hold the documents.
    if let Some(content) = fields.get_mut("text/event-stream").and_then(Value::as_object_mut) {
        let document = content.get("schema").cloned().unwrap_or_default();
        content.insert("schema".to_owned(), json!({ "type": "string", "contentSchema": document }));
    }
}

/// Refusals have a content type of their own (RFC 9457).
fn problem_content(fields: &mut Map<String, Value>) {
    let is_problem = |content: &Value| content["schema"]["$ref"] == "#/components/schemas/Problem";
    if fields.get("application/json").is_some_and(is_problem)
        && let Some(content) = fields.remove("application/json")
    {
        fields.insert("application/problem+json".to_owned(), content);
    }
}
