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
                assert!(response["description"].is_string(), "{method} {path} {status} has no description");
            }
        }
    }
}
