"""Uploads, submits, waits and downloads against a server that has an engine: end_to_end.py URL TOKEN FILM PROFILE OUT

The harness (tests/clients_work.rs) starts both and looks at what was downloaded.
"""

import hashlib
import json
import sys
from pathlib import Path

import httpx

from offpeak import JobOver, Offpeak, OffpeakError
from offpeak.generated.api.jobs import list_jobs
from offpeak.generated.api.uploads import get_source
from offpeak.generated.models import Job, JobList, JobState, Source

url, token, film, profile, out = sys.argv[1:]


class Lossy(httpx.HTTPTransport):
    """A network that loses some answers: what was asked for has happened all the same."""

    calls = lost = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if request.method in ("POST", "PATCH"):
            self.calls += 1
            if self.calls % 2 == 1:
                self.lost += 1
                response.read()
                raise httpx.ReadError("the test loses this answer")
        return response


network = Lossy()
offpeak = Offpeak(url, token, transport=network)

size = Path(film).stat().st_size
steps, begun = [], []
source = offpeak.upload(
    film,
    request_bytes=-(-size // 3),
    on_begun=begun.append,
    on_progress=lambda safe, whole: steps.append((safe, whole)),
)
assert begun == [source]
assert steps[-1] == (size, size) and len(steps) >= 4, steps
kept = get_source.sync(source, client=offpeak.api)
assert isinstance(kept, Source), kept
assert (kept.state, kept.filename) == ("ready", Path(film).name)
assert kept.sha256 == hashlib.sha256(Path(film).read_bytes()).hexdigest()
assert offpeak.upload(film, resume=source) == source, "what is whole is not sent again"

job = offpeak.submit(upload=source, profile=profile, metadata={"by": "python"})
assert job.state == JobState.QUEUED
jobs = list_jobs.sync(client=offpeak.api, source=source)
assert isinstance(jobs, JobList) and len(jobs.jobs) == 1, "the job was made once although an answer was lost"
assert network.lost >= 3, network.lost

fractions = []
done = offpeak.wait(job, on_progress=lambda job: fractions.append(job.progress.fraction), timeout=240)
assert done.state == JobState.COMPLETED
assert fractions == sorted(fractions), fractions
offpeak.download(done, out)
file = done.outputs.files[0]
print(json.dumps({"job": done.id, "file": file.name, "sha256": file.sha256}))

try:
    offpeak.submit(upload=source, profile="no-such-profile")
except OffpeakError as refused:
    assert (refused.status, refused.code) == (422, "unknown_profile"), refused
else:
    raise AssertionError("an unknown profile was accepted")
hopeless = offpeak.submit(url=f"{url}/healthz", profile=profile)
try:
    offpeak.wait(hopeless, timeout=60)
except JobOver as over:
    assert isinstance(over.job, Job) and over.job.state == JobState.FAILED and over.job.error.code
else:
    raise AssertionError("a job without a film completed")
offpeak.close()
