//! Answers and headers that come of the layers around handlers, and so belong to many operations.

use serde_json::{Map, Value, json};

use super::Operation;

/// A refusal that many operations share: the status, its name among the components, what it says, an example's code and
/// sentence.
const SHARED: [(&str, &str, &str, &str, &str); 10] = [
    (
        "400",
        "BadRequest",
        "Something in the address, a header or the body does not read",
        "bad_request",
        "The address does not read.",
    ),
    ("401", "Unauthorized", "No token, or one that is not good", "no_token", "This request needs a bearer token."),
    (
        "403",
        "Forbidden",
        "A token of another kind, or one that does not allow this",
        "wrong_kind_of_token",
        "This is an agent's token; programs use one of their own.",
    ),
    (
        "409",
        "InProgress",
        "A request with this `Idempotency-Key` is being carried out, or its answer is not known",
        "idempotency_key_in_progress",
        "A request with this `Idempotency-Key` is being carried out.",
    ),
    ("408", "TooSlow", "The body did not arrive in time", "body_too_slow", "The body of this request did not arrive in time."),
    ("413", "TooLarge", "The body is too large", "body_too_large", "length limit exceeded"),
    (
        "415",
        "NotJson",
        "The body is not `application/json`",
        "not_json",
        "Expected request with `Content-Type: application/json`",
    ),
    (
        "422",
        "Unfit",
        "The request reads, but something in it does not fit",
        "invalid_body",
        "missing field `name` at line 1 column 2",
    ),
    (
        "429",
        "TooManyRequests",
        "This token makes too many requests; `Retry-After` says when to go on",
        "too_many_requests",
        "This token has made more than 6000 requests in a minute.",
    ),
    (
        "503",
        "Busy",
        "The server cannot answer now; nothing was changed",
        "busy",
        "The database was too busy; nothing was changed.",
    ),
];

const HEADERS: [(&str, &str, &str, &str); 8] = [
    (
        "X-Request-Id",
        "RequestId",
        "Names the request in the server's log; the caller's own, when it sent one",
        "req_01J8ZC5V2M0N6QW3T7RX9KPEHD",
    ),
    ("RateLimit", "RateLimit", "`r` requests are left of the quota; in `t` seconds all of it is back", "\"minute\";r=5999;t=1"),
    ("RateLimit-Policy", "RateLimitPolicy", "The quota: `q` requests in `w` seconds, for each token", "\"minute\";q=6000;w=60"),
    ("Retry-After", "RetryAfter", "Seconds to wait before the request is worth repeating", "1"),
    ("ETag", "ETag", "Names this state of the answer, for `If-None-Match`", "\"4f1c0ab6a6f0c9c5b1f1a6ce2b1c7e9d\""),
    ("Location", "Location", "The address of what was made", "/v1/jobs/job_01J8ZC5V2M0N6QW3T7RX9KPEHD"),
    ("Upload-Offset", "UploadOffset", "How many bytes of the upload are safe", "1048576"),
    (
        "Idempotency-Replayed",
        "IdempotencyReplayed",
        "`true` when this is the answer to an earlier request with the same key",
        "true",
    ),
];

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

pub fn add(operation: &mut Operation) {
    // A POST that stands for another method makes nothing.
    let overrides = operation.has_parameter("X-HTTP-Method-Override");
    let creates = operation.is_of_programs() && operation.is_guarded() && operation.method == "post" && !overrides;
    let has_parameters = operation.parameters.iter().any(|parameter| parameter["in"] != "header");
    // Of people, tokens and codes none has an address of its own to be read at.
    let located = creates && operation.said["tags"][0] != "access" && operation.path != "/v1/enrolment-codes";
    let tagged = operation.is_of_programs() && operation.reads() && operation.answers_json();
    let applies = |name: &str| match name {
        "BadRequest" => has_parameters || operation.takes_json() || creates,
        "Unauthorized" | "Forbidden" => operation.is_guarded(),
        "InProgress" => creates,
        "TooLarge" | "TooSlow" | "NotJson" => operation.takes_json(),
        "Unfit" => operation.takes_json() || creates,
        "TooManyRequests" => operation.is_of_programs(),
        _ => operation.path != "/healthz",
    };
    let shared: Vec<_> = SHARED.iter().filter(|(_, name, ..)| applies(name)).map(|(status, name, ..)| (*status, *name)).collect();
    if tagged {
        operation.parameters.push(reference("parameters", "IfNoneMatch"));
    }
    if creates {
        operation.parameters.push(reference("parameters", "IdempotencyKey"));
    }
    let (of_programs, tus) = (operation.is_of_programs(), operation.is_tus());
    let Some(responses) = operation.said.get_mut("responses").and_then(Value::as_object_mut) else { return };
    if tagged {
        responses.insert("304".to_owned(), json!({ "description": "The caller has this state already" }));
    }
    for (status, name) in shared {
        responses.entry(status).or_insert_with(|| reference("responses", name));
    }
    for (status, response) in responses {
        if let Some(response) = response.as_object_mut().filter(|response| !response.contains_key("$ref")) {
            add_headers(response, status, &Which { of_programs, tagged, creates, located, tus });
        }
    }
}

/// What decides which headers an answer has.
struct Which {
    of_programs: bool,
    tagged: bool,
    creates: bool,
    located: bool,
    tus: bool,
}

fn add_headers(response: &mut Map<String, Value>, status: &str, which: &Which) {
    let headers = response.entry("headers").or_insert_with(|| json!({}));
    let success = status.starts_with('2');
    for (header, name, ..) in HEADERS {
        let has = match header {
            "X-Request-Id" => true,
            "RateLimit" | "RateLimit-Policy" => which.of_programs,
            "ETag" => which.tagged && matches!(status, "200" | "304"),
            "Idempotency-Replayed" => which.creates && success,
            "Location" => which.located && status == "201",
            "Upload-Offset" => which.tus && success,
            _ => false,
        };
        if has && headers[header].is_null() {
            headers[header] = reference("headers", name);
        }
    }
}

pub fn add_components(api: &mut Value) {
    for (_, name, description, example) in HEADERS {
        let schema = match name {
            "RetryAfter" | "UploadOffset" => json!({ "type": "integer", "format": "uint64", "minimum": 0 }),
            _ => json!({ "type": "string" }),
        };
        let example = example.parse::<u64>().map_or_else(|_| json!(example), |number| json!(number));
        api["components"]["headers"][name] = json!({ "description": description, "schema": schema, "example": example });
    }
    for (status, name, description, code, detail) in SHARED {
        let mut headers = json!({ "X-Request-Id": reference("headers", "RequestId") });
        if matches!(status, "429" | "409" | "503") {
            headers["Retry-After"] = reference("headers", "RetryAfter");
        }
        if status == "429" {
            headers["RateLimit"] = reference("headers", "RateLimit");
            headers["RateLimit-Policy"] = reference("headers", "RateLimitPolicy");
        }
        let example = problem(status, code, detail);
        api["components"]["responses"][name] = json!({
            "description": description,
            "headers": headers,
            "content": { "application/problem+json": {
                "schema": reference("schemas", "Problem"),
                "examples": { "problem": { "value": example } },
            } },
        });
    }
    api["components"]["parameters"] = json!({
        "IfNoneMatch": {
            "name": "If-None-Match", "in": "header", "required": false,
            "description": "The `ETag` of an earlier answer: 304 when nothing has changed since.",
            "schema": { "type": "string" },
            "example": "\"4f1c0ab6a6f0c9c5b1f1a6ce2b1c7e9d\"",
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Made by the caller for each thing that is to be made, such as a random UUID. A repeat with the same key \
                within 24 hours gets the first answer, and nothing is made twice.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
            "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
        },
    });
}

/// A problem as it looks.
pub fn problem(status: &str, code: &str, detail: &str) -> Value {
    let status: u16 = status.parse().unwrap_or(500);
    let title = axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error");
    json!({
        "type": "about:blank",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": "req_01J8ZC5V2M0N6QW3T7RX9KPEHD",
    })
}
