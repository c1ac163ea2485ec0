"""What can go wrong, as exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from .generated.models import Job


class OffpeakError(Exception):
    """The server answered, and refused (RFC 9457). ``code`` is stable; docs/problems.md lists them."""

    def __init__(
        self, status: int, code: str, detail: str, hint: str | None, request_id: str | None, retry_after: float | None
    ):
        super().__init__(f"{detail} {hint}" if hint else detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.request_id = request_id
        self.retry_after = retry_after

    @property
    def is_passing(self) -> bool:
        """True when the same request can succeed later."""
        return self.status >= 500 or self.status in (408, 429) or self.code in PASSING_CODES


PASSING_CODES = ("idempotency_key_in_progress", "upload_locked")


class JobOver(Exception):
    """The job failed or was cancelled; ``job.error`` says why."""

    def __init__(self, job: Job):
        error = job.error
        reason = f": {error.message} ({error.code})" if error else ""
        super().__init__(f"{job.id} {job.state}{reason}")
        self.job = job


def check(response: httpx.Response) -> httpx.Response:
    """The response, unless it is a refusal: then an exception, whoever refused."""
    if not response.is_error:
        return response
    try:
        body = response.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    try:
        retry_after = float(response.headers["retry-after"])
    except (KeyError, ValueError):
        retry_after = None
    raise OffpeakError(
        response.status_code,
        body.get("code", f"http_{response.status_code}"),
        body.get("detail", f"{response.url} answered {response.status_code} {response.reason_phrase}"),
        body.get("hint"),
        body.get("request_id", response.headers.get("x-request-id")),
        retry_after,
    )
