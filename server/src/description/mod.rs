//! The API's description, made complete: what holds for every operation is added here once, so that a new route needs to say
//! only what is particular to it.
//!
//! In: what `utoipa` gathers from handlers and types. Out: the document at `/openapi.json`, from which reference and clients
//! are made: with a server, problems as `application/problem+json`, the answers of the layers around handlers, headers, and
//! an example wherever there is a body or a parameter.

mod answers;
mod examples;
mod shapes;

use serde_json::{Map, Value, json};

/// The complete description.
pub fn finish(gathered: &utoipa::openapi::OpenApi) -> Value {
    let mut api = serde_json::to_value(gathered).unwrap_or_default();
    api["servers"] = json!([{ "url": "/", "description": "The server that gives this description" }]);
    shapes::tidy(&mut api);
    let mut operations = take_operations(&mut api);
    for operation in &mut operations {
        answers::add(operation);
    }
    answers::add_components(&mut api);
    for operation in &mut operations {
        examples::add(operation, &api["components"]);
    }
    put_operations(&mut api, operations);
    api
}

/// One method of one path.
#[derive(Debug)]
struct Operation {
    path: String,
    method: String,
    parameters: Vec<Value>,
    /// All else.
    said: Map<String, Value>,
}

impl Operation {
    /// Takes a token.
    fn is_guarded(&self) -> bool {
        self.said.contains_key("security")
    }

    /// Passes the layer of programs (`front`). A test compares this with what the server does.
    fn is_of_programs(&self) -> bool {
        let of_agents = ["/v1/leases", "/v1/agents/me/", "/v1/agents/enrol"];
        self.path.starts_with("/v1/") && !of_agents.iter().any(|path| self.path.starts_with(path))
    }

    fn reads(&self) -> bool {
        self.method == "get"
    }

    fn answers_json(&self) -> bool {
        self.said.get("responses").is_some_and(|answers| answers["200"]["content"]["application/json"].is_object())
    }

    /// Speaks of how much of an upload has arrived.
    fn is_tus(&self) -> bool {
        self.has_parameter("Tus-Resumable")
    }

    fn has_parameter(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter["name"] == name)
    }

    fn takes_json(&self) -> bool {
        self.said.get("requestBody").is_some_and(|body| body["content"]["application/json"].is_object())
    }
}

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

fn take_operations(api: &mut Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    let paths = api["paths"].as_object_mut().map(std::mem::take).unwrap_or_default();
    for (path, mut item) in paths {
        for method in METHODS {
            if let Some(Value::Object(mut said)) = item.get_mut(method).map(Value::take) {
                let parameters = said.remove("parameters").and_then(|list| list.as_array().cloned()).unwrap_or_default();
                operations.push(Operation { path: path.clone(), method: method.to_owned(), parameters, said });
            }
        }
    }
    operations
}

fn put_operations(api: &mut Value, operations: Vec<Operation>) {
    for Operation { path, method, parameters, mut said } in operations {
        if !parameters.is_empty() {
            said.insert("parameters".to_owned(), parameters.into());
        }
        // Said, so that nobody wonders whether it was forgotten.
        said.entry("security").or_insert_with(|| json!([]));
        api["paths"][path][method] = Value::Object(said);
    }
}
