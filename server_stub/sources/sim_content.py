"""What simulated jobs are given and leave behind: from the job's id alone, so it is the same whenever it is asked for."""

import hashlib
import json
import random
from collections.abc import Iterator
from typing import Any

from server_stub.changes import ArtifactAdded

from .local import documents

LEAVING = ("nightly_report", "import_catalog")
"""Functions whose jobs leave artifacts; the others are too many."""
_CHECKPOINTED = 0.4
_PLACES = ("Utrecht", "Porto", "Ghent", "Turku", "Split", "Graz")


def _dice(job_id: str, what: str) -> random.Random:
    return random.Random(f"{what} {job_id}")


def arguments(function: str, job_id: str, number: int) -> dict[str, Any]:
    """The arguments of a job, in the words of its function."""
    dice = _dice(job_id, "arguments")
    given: dict[str, Any] = {"n": number}
    if function in ("send_receipt", "order_placed", "settle_payments"):
        given |= {"order": f"A-{dice.randrange(10_000, 99_999)}", "amount": round(dice.uniform(3, 400), 2), "currency": "EUR"}
    elif function == "resize_image":
        given |= {"source": f"uploads/{dice.getrandbits(32):08x}.jpg", "sizes": [[160, 160], [640, 480], [1920, 1080]]}
    elif function in LEAVING:
        given |= {"region": dice.choice(_PLACES), "options": {"since": "24h", "formats": ["html", "pdf"], "draft": False}}
    return given


def traceback(function: str, job_id: str, error: str) -> str:
    """What happened in one line, and below it where."""
    dice = _dice(job_id, "traceback")
    frames = ((f"shop/jobs/{function}.py", function), ("shop/clients/http.py", "request"), ("shop/clients/pool.py", "acquire"))
    where = "\n".join(
        f'  File "{file}", line {dice.randrange(12, 240)}, in {name}\n    {name}(context, attempt=attempt)' for file, name in frames
    )
    return f"{error}\nTraceback (most recent call last):\n{where}"


def checkpoint(job_id: str) -> dict[str, Any] | None:
    """The last checkpoint of a finished job; most have none."""
    dice = _dice(job_id, "checkpoint")
    if dice.random() > _CHECKPOINTED:
        return None
    done = dice.randrange(10, 500)
    return {"rows": done, "cursor": f"{dice.getrandbits(48):012x}", "skipped": dice.randrange(3)}


def artifacts(function: str, job_id: str, at: int) -> Iterator[ArtifactAdded]:
    """What a complete job leaves behind at a moment (microseconds)."""
    if function not in LEAVING:
        return
    dice = _dice(job_id, "artifacts")
    rows = [(place, f"{dice.randrange(100, 9_999):,}") for place in _PLACES]
    values = [dice.uniform(5, 100) for _ in range(24)]
    made: list[tuple[str, str, str, bytes]] = [
        ("summary.json", "json", "application/json", json.dumps({"orders": dict(rows), "hours": [round(v) for v in values]}).encode()),
        ("import.log", "text", "text/plain; charset=utf-8", "".join(f"{place}: {number} rows\n" for place, number in rows).encode()),
        ("load.png", "image/png", "image/png", documents.png(values)),
    ]
    if function == "nightly_report":
        made += [
            ("report.html", "text/html", "text/html; charset=utf-8", documents.page("Nightly report", rows)),
            ("report.pdf", "application/pdf", "application/pdf", documents.pdf("Nightly report", [f"{a}: {b}" for a, b in rows])),
        ]
    for number, (name, kind, content_type, content) in enumerate(made):
        yield ArtifactAdded(f"art_{job_id.removeprefix('job_')}_{number}", job_id, at + number, name, kind, content_type, content)


def rows(function: str, job_id: str, at: int) -> Iterator[tuple[object, ...]]:
    """The same as rows of the store."""
    for one in artifacts(function, job_id, at):
        digest = hashlib.sha256(one.content).hexdigest()
        yield (one.id, one.job_id, one.name, one.type, one.content_type, len(one.content), digest, one.at, one.content)
