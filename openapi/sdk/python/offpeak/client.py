"""A client of one server."""

from __future__ import annotations

import base64
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar

import httpx

from .generated.client import AuthenticatedClient
from .generated.models import CreateJob, Job
from .problem import JobOver, OffpeakError, check

T = TypeVar("T")

#: A cut costs a round trip and no bytes; proxies often refuse bodies over 100 MB.
REQUEST_BYTES = 32 * 2**20
READ_BYTES = 2**18
#: In a row, without one more byte arriving or an answer.
TRIES = 8
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 15.0
#: Where events do not get through, such as behind a proxy that buffers, progress still moves.
READ_EVERY = 5.0
#: Events come in bursts: one reading tells of them all.
READ_AT_MOST_EVERY = 0.25


class Offpeak:
    """Uploads, submits, waits and downloads. Safe to use from several threads.

    ``api`` is the generated client: pass it to any function of ``offpeak.generated.api``.
    """

    def __init__(self, url: str, token: str, *, timeout: float = 60.0, transport: httpx.BaseTransport | None = None):
        self.url = url.rstrip("/")
        more: dict[str, Any] = {} if transport is None else {"transport": transport}
        self.api = AuthenticatedClient(
            base_url=self.url,
            token=token,
            timeout=httpx.Timeout(timeout),
            raise_on_unexpected_status=False,
            httpx_args=more,
        )
        self._http = self.api.get_httpx_client()
        # The token goes to the server it belongs to, and nowhere else.
        self._elsewhere = httpx.Client(timeout=timeout, follow_redirects=True, **more)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()
        self._elsewhere.close()

    def upload(
        self,
        path: str | Path,
        *,
        resume: str | None = None,
        on_begun: Callable[[str], None] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        request_bytes: int = REQUEST_BYTES,
    ) -> str:
        """Uploads a file with tus 1.0: whatever breaks on the way, it goes on where it stopped. Returns the source's id.

        ``resume`` is an upload that was begun before; ``on_begun`` is told the id as soon as there is one.
        ``on_progress`` is told the bytes that are safe and those of the whole file.
        """
        path = Path(path)
        with path.open("rb") as file:
            whole = path.stat().st_size
            offset = None if resume is None else self._offset(resume)
            if resume is None or offset is None:
                resume, offset = self._begin(path.name, whole), 0
            if on_begun:
                on_begun(resume)
            failures = 0
            while offset < whole:
                if on_progress:
                    on_progress(offset, whole)
                before = offset
                try:
                    offset = self._append(resume, file, offset, min(request_bytes, whole - offset))
                except (httpx.TransportError, OffpeakError) as error:
                    behind = isinstance(error, OffpeakError) and error.code == "wrong_offset"
                    failures += 1
                    if failures >= TRIES or not (behind or _is_passing(error)):
                        raise
                    time.sleep(_pause(failures, error))
                    known = _patiently(lambda id=resume: self._offset(id))
                    if known is None:
                        raise
                    offset = known
                if offset > before:
                    failures = 0
        if on_progress:
            on_progress(whole, whole)
        return resume

    def submit(
        self,
        *,
        upload: str | None = None,
        url: str | None = None,
        profile: str | None = None,
        priority: int | None = None,
        metadata: dict[str, str] | None = None,
        idempotency_key: str | None = None,
        **more: Any,
    ) -> Job:
        """Makes a job of a finished upload or of an address. Repeated by itself when no answer comes, and made once all the same."""
        wanted: dict[str, Any] = {"source": {"upload": upload} if upload is not None else {"url": url}, **more}
        for name, value in (("profile", profile), ("priority", priority), ("metadata", metadata)):
            if value is not None:
                wanted[name] = value
        body = CreateJob.from_dict(wanted).to_dict()
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        answer = _patiently(lambda: check(self._http.post("/v1/jobs", json=body, headers=headers)))
        return Job.from_dict(answer.json())

    def job(self, id: str) -> Job:
        """Reads a job."""
        return Job.from_dict(check(self._http.get(f"/v1/jobs/{id}")).json())

    def wait(
        self,
        job: Job | str,
        *,
        on_progress: Callable[[Job], None] | None = None,
        timeout: float | None = None,
        outage: float = 600.0,
    ) -> Job:
        """Follows a job until it is completed, through outages of the server. Raises ``JobOver`` when it fails.

        Events only wake; what counts is what reading the job says.
        """
        id = job if isinstance(job, str) else job.id
        end = None if timeout is None else time.monotonic() + timeout
        changed, done = threading.Event(), threading.Event()
        listener = threading.Thread(target=self._listen, args=(id, changed, done), daemon=True)
        listener.start()
        down_since: float | None = None
        failures = 0
        try:
            while True:
                changed.clear()
                try:
                    now = self.job(id)
                    down_since, failures = None, 0
                    if on_progress:
                        on_progress(now)
                    if now.ended_at:
                        if now.state != "completed":
                            raise JobOver(now)
                        return now
                    rest = READ_EVERY
                except (httpx.TransportError, OffpeakError) as error:
                    down_since = down_since or time.monotonic()
                    if not _is_passing(error) or time.monotonic() - down_since > outage:
                        raise
                    failures += 1
                    rest = _pause(failures, error)
                if end is not None and time.monotonic() > end:
                    raise TimeoutError(f"{id} is not over after {timeout} s")
                time.sleep(READ_AT_MOST_EVERY)
                changed.wait(rest if end is None else max(0.0, min(rest, end - time.monotonic())))
        finally:
            done.set()

    def download(self, job: Job, to: str | Path, name: str | None = None) -> Path:
        """Downloads one of a job's files, the first when no name is given, to a path. Half a file is never left there."""
        file = next(
            (file for file in (job.outputs.files if job.outputs else None) or [] if name in (None, file.name)), None
        )
        if file is None:
            raise ValueError(f"{job.id} has no file {name or 'at all'}")
        to = Path(to)
        partial = to.with_name(f".{to.name}.part")
        with self._elsewhere.stream("GET", file.url) as response:
            if response.is_error:
                response.read()
                check(response)
            with partial.open("wb") as out:
                for piece in response.iter_bytes(READ_BYTES):
                    out.write(piece)
        if partial.stat().st_size != file.bytes_:
            partial.unlink()
            raise OSError(f"{file.name} did not arrive whole")
        partial.replace(to)
        return to

    def _begin(self, name: str, whole: int) -> str:
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(whole),
            "Upload-Metadata": f"filename {base64.b64encode(name.encode()).decode()}",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        answer = _patiently(lambda: check(self._http.post("/v1/uploads", headers=headers)))
        return answer.headers["location"].rsplit("/", 1)[-1]

    def _offset(self, id: str) -> int | None:
        """How many bytes are safe; nothing when the upload is gone."""
        answer = self._http.head(f"/v1/uploads/{id}", headers={"Tus-Resumable": "1.0.0"})
        if answer.status_code in (404, 410):
            return None
        return int(check(answer).headers["upload-offset"])

    def _append(self, id: str, file: BinaryIO, offset: int, count: int) -> int:
        file.seek(offset)
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(count),
        }
        answer = check(self._http.patch(f"/v1/uploads/{id}", content=_pieces(file, count), headers=headers))
        return int(answer.headers["upload-offset"])

    def _listen(self, id: str, changed: threading.Event, done: threading.Event) -> None:
        headers = {"Accept": "text/event-stream"}
        while not done.is_set():
            try:
                with self._http.stream("GET", f"/v1/jobs/{id}/events", headers=headers) as response:
                    if response.is_error:
                        raise httpx.TransportError("no events")
                    for line in response.iter_lines():
                        if line.startswith("id:"):
                            headers["Last-Event-ID"] = line[3:].strip()
                        elif line.startswith("data:"):
                            changed.set()
                        if done.is_set():
                            return
            except (httpx.HTTPError, RuntimeError):
                # Reading the job goes on meanwhile, so there is no hurry.
                pass
            done.wait(READ_EVERY)


def _pieces(file: BinaryIO, count: int) -> Iterator[bytes]:
    while count > 0 and (piece := file.read(min(READ_BYTES, count))):
        count -= len(piece)
        yield piece


def _is_passing(error: Exception) -> bool:
    return isinstance(error, httpx.TransportError) or (isinstance(error, OffpeakError) and error.is_passing)


def _pause(failures: int, error: Exception) -> float:
    """Doubling pauses with jitter, or what the server asks for."""
    if isinstance(error, OffpeakError) and error.retry_after is not None:
        return error.retry_after
    return min(FIRST_PAUSE * 2**failures, LONGEST_PAUSE) * random.uniform(0.5, 1.0)


def _patiently(call: Callable[[], T]) -> T:
    """Repeats what failed for a passing reason. Only for calls that may be repeated."""
    failures = 0
    while True:
        try:
            return call()
        except (httpx.TransportError, OffpeakError) as error:
            failures += 1
            if failures >= TRIES or not _is_passing(error):
                raise
            time.sleep(_pause(failures, error))
