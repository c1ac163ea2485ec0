"""What schemathesis has to be told about this API; `schemathesis.toml` names this file."""

import os
import uuid
from urllib.parse import urlsplit

import schemathesis

SESSION = "offpeak_session"


@schemathesis.serializer("application/offset+octet-stream")
def piece(ctx, value):
    """Pieces of files are bytes."""
    return {"data": value if isinstance(value, bytes) else str(value).encode()}


def whole(value):
    """JSON Schema calls 12.0 an integer; programs write 12, and the server wants it so."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    return value


@schemathesis.hook
def filter_case(ctx, case):
    # Headers that a server does not know are none of its business (RFC 9110, section 5.1).
    return "x-schemathesis-unknown-property" not in {name.lower() for name in case.headers or {}}


@schemathesis.hook
def before_call(ctx, case, kwargs):
    case.body = whole(case.body)
    headers = case.headers
    # Agents have tokens of their own.
    of_agents = case.operation.path.startswith(("/v1/leases", "/v1/agents/me"))
    if of_agents and (headers or {}).get("Authorization") == f"Bearer {os.environ['OFFPEAK_TOKEN']}":
        headers["Authorization"] = f"Bearer {os.environ['OFFPEAK_AGENT_TOKEN']}"
    # It finds ids in answers. Without its own token, all that it would hear from then on is that it has none.
    if case.operation.label == "DELETE /v1/tokens/{id}" and os.environ["OFFPEAK_TOKEN_ID"] in str(case.path_parameters):
        case.path_parameters["id"] = "token_00000000000000000000000000"
    cookies = case.cookies or {}
    if cookies.get(SESSION) == os.environ["OFFPEAK_SESSION"]:
        # Pages of the server say where they are from.
        headers["Origin"] = "{0.scheme}://{0.netloc}".format(urlsplit(case.operation.base_url))
        # Somebody else logs out, once; the others go on.
        if case.operation.label in ("DELETE /v1/session", "DELETE /v1/sessions/{id}"):
            cookies[SESSION] = os.environ["OFFPEAK_OTHER_SESSION"]
    # Messages go nowhere (RFC 2606, section 2).
    url = case.body.get("url") if isinstance(case.body, dict) else None
    if case.operation.path.startswith("/v1/webhooks") and str(url).startswith(("http://", "https://")):
        case.body["url"] = "https://receiver.invalid/offpeak"
    # A key is made for each thing that is to be made. A test of keys themselves keeps what it made up.
    key = str((headers or {}).get("Idempotency-Key") or "")
    if 1 <= len(key) <= 255 and key.isascii() and key.isprintable() and " " not in key:
        headers["Idempotency-Key"] = str(uuid.uuid4())
    # Nobody waits for work.
    if case.operation.path == "/v1/leases" and isinstance(case.body, dict) and isinstance(case.body.get("wait_seconds"), int):
        case.body["wait_seconds"] = min(case.body["wait_seconds"], 0)
