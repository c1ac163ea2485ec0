//! The API's description: committed, and true.

use offpeak_server::router;

#[test]
fn the_committed_description_is_the_one_the_server_gives() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/openapi.json");
    let committed: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let given = serde_json::to_value(router::openapi()).unwrap();
    assert!(committed == given, "openapi/openapi.json is out of date; refresh it with: make openapi");
}

#[test]
fn every_operation_says_what_it_is_for() {
    let description = serde_json::to_value(router::openapi()).unwrap();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(id) = operation["operationId"].as_str() else { continue };
            assert!(operation["summary"].as_str().is_some_and(|s| s.len() > 5), "{method} {path} ({id}) has no summary");
            assert!(operation["tags"][0].is_string(), "{method} {path} has no tag");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let said = &response["description"];
                assert!(said.is_string() || response["$ref"].is_string(), "{method} {path} {status} has no description");
            }
        }
    }
}

/// Every code that a handler can answer with is in docs/problems.md, and nothing else is.
#[test]
fn the_list_of_problems_is_whole() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_to_string(root.join("../docs/problems.md")).unwrap();
    let listed: std::collections::BTreeSet<&str> =
        docs.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(code, _)| code).collect();
    let (mut folders, mut source) = (vec![root.join("src")], String::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false if entry.path().extension().is_some_and(|end| end == "rs") => {
                    source.push_str(&std::fs::read_to_string(entry.path()).unwrap());
                }
                false => {}
            }
        }
    }
    let mut made = 0;
    for maker in ["ApiError::new(", "not_found(", "conflict(", "unfit(", "bad_request(", "unauthorized(", "refused("] {
        for (at, _) in source.match_indices(maker) {
            let call = source[at + maker.len()..].trim_start();
            // The status comes first, where it is not in the maker's name.
            let call = match maker {
                "ApiError::new(" => call.split_once(',').map_or("", |(_, rest)| rest.trim_start()),
                _ => call,
            };
            let Some((code, _)) = call.strip_prefix('"').and_then(|rest| rest.split_once('"')) else { continue };
            assert!(listed.contains(code), "docs/problems.md lacks `{code}`");
            made += 1;
        }
    }
    assert!(made > 100, "{made} refusals were found in the source");
    for code in listed {
        assert!(source.contains(&format!("\"{code}\"")), "docs/problems.md has `{code}`, which nothing answers");
    }
}

#[test]
fn every_body_and_parameter_has_an_example() {
    let description = router::openapi();
    let has = |value: &serde_json::Value| !value["example"].is_null() || !value["examples"].is_null();
    let mut seen = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let bodies = operation["responses"].as_object().unwrap().values().chain([&operation["requestBody"]]);
            for (kind, content) in bodies.filter_map(|body| body["content"].as_object()).flatten() {
                assert!(has(content) || kind.contains("octet-stream"), "{method} {path}: {kind} has no example");
                seen += 1;
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(has(parameter) || parameter["$ref"].is_string(), "{method} {path}: {parameter} has no example");
                seen += 1;
            }
        }
    }
    assert!(seen > 250, "{seen} bodies and parameters");
}

/// Clocks of machines may be wrong by any amount: only durations travel between an engine and a server, in both directions.
#[test]
fn no_moment_in_time_passes_between_engines_and_servers() {
    let description = serde_json::to_value(router::openapi()).unwrap();
    let of_engines =
        |path: &str| path.starts_with("/v1/leases") || ["/v1/agents/enrol", "/v1/agents/me"].iter().any(|p| path.starts_with(p));
    let paths = description["paths"].as_object().unwrap().iter().filter(|(path, _)| of_engines(path));
    let mut open: Vec<&serde_json::Value> = paths.map(|(_, item)| item).collect();
    assert!(open.len() >= 7, "{} paths", open.len());
    let mut seen = std::collections::BTreeSet::new();
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::Object(fields) => {
                let format = fields.get("format").and_then(|format| format.as_str());
                assert!(!format.is_some_and(|format| format.starts_with("date")), "a moment in time: {value}");
                let reference =
                    fields.get("$ref").and_then(|name| name.as_str()).and_then(|name| name.strip_prefix("#/components/schemas/"));
                if let Some(name) = reference.filter(|name| seen.insert((*name).to_owned())) {
                    let schema = &description["components"]["schemas"][name];
                    let properties = schema["properties"].as_object();
                    let moment = properties.and_then(|properties| properties.keys().find(|name| name.ends_with("_at")));
                    assert_eq!(moment, None, "{name} has a moment in time");
                    open.push(schema);
                }
                open.extend(fields.values());
            }
            serde_json::Value::Array(values) => open.extend(values),
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_) => {}
        }
    }
    assert!(seen.contains("Lease") && seen.contains("Orders") && seen.contains("Encode"), "{seen:?}");
}
