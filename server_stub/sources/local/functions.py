"""The functions: each does real work, small enough that all of them together use a few percent of one core."""

import gzip
import hashlib
import http.client
import json
import os
import random
import socket
import sysconfig
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from . import documents
from .job import Job
from .registry import function

PACE_S = 0.12
"""A pause between the steps of longer work, which keeps the machine free for its user."""
ARCHIVES = 3
PROBED = ("/health", "/api/v1/jobs?limit=10", "/api/v1/workers", "/api/v1/jobs/stats")


def _library() -> Path:
    return Path(sysconfig.get_paths()["stdlib"])


def _archive() -> Path:
    folder = Path(os.environ.get("PENSTOCK_DATA", ".")) / "archive"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@function(every_s=20)
def hash_tree(job: Job, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Hash the sources of one package of the standard library (``package``), a few files per step."""
    package = kwargs.get("package") or random.choice(("asyncio", "email", "json", "xml", "http", "encodings"))
    files = sorted((_library() / package).rglob("*.py"))
    digest, size, step = hashlib.sha256(), 0, max(1, len(files) // 8)
    digests: dict[str, str] = {}
    for number in range(0, len(files), step):
        for file in files[number : number + step]:
            data = file.read_bytes()
            digest.update(data)
            digests[file.relative_to(_library()).as_posix()] = hashlib.sha256(data).hexdigest()
            size += len(data)
        done = min(len(files), number + step)
        job.checkpoint({"files": done, "bytes": size, "next": files[done].name if done < len(files) else None})
        job.progress(done / len(files), f"{done} of {len(files)} files")
        job.pause(float(kwargs.get("pace_s", PACE_S)))
    job.artifact("digests.json", "json", "application/json", json.dumps({"package": package, "sha256": digests}).encode())
    return {"package": package, "files": len(files), "bytes": size, "sha256": digest.hexdigest()}


@function(every_s=5)
def measure_latency(job: Job, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Ask this server's own endpoints and measure the answers: these are the API figures at rest."""
    parts = urlsplit(os.environ["PENSTOCK_URL"])
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=5)
    taken: dict[str, float] = {}
    try:
        for path in PROBED:
            began = time.perf_counter()
            connection.request("GET", path)
            connection.getresponse().read()
            taken[path.partition("?")[0]] = round((time.perf_counter() - began) * 1000, 2)
    finally:
        connection.close()
    return {"latency_ms": taken}


@function(every_s=10)
def check_disk(job: Job, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Look at this machine's disk, memory and load."""
    disk, memory = psutil.disk_usage("/"), psutil.virtual_memory()
    return {
        "disk_percent": disk.percent,
        "disk_free_bytes": disk.free,
        "memory_percent": memory.percent,
        "load_1m": round(os.getloadavg()[0], 2),
    }


@function(every_s=30)
def compress_logs(job: Job, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Compress text files into an archive below the data folder, file by file; leaves a report as an artifact."""
    files = sorted(_library().glob("*.py"))[: int(kwargs.get("files", 24))]
    target = _archive() / f"{job.id}.gz"
    before = 0
    sizes = ["file,bytes"]
    with gzip.open(target, "wb", compresslevel=6) as archive:
        for number, file in enumerate(files, 1):
            data = file.read_bytes()
            before += len(data)
            archive.write(data)
            sizes.append(f"{file.name},{len(data)}")
            if number % 4 == 0:
                job.checkpoint({"files": number, "last": file.name})
                job.progress(number / len(files), file.name)
                job.pause(float(kwargs.get("pace_s", PACE_S)))
    after = target.stat().st_size
    report = f"{len(files)} files, {before} bytes before, {after} bytes after\n"
    job.artifact("sizes.csv", "text/csv", "text/csv; charset=utf-8", "\n".join(sizes).encode())
    job.artifact("report.txt", "text", "text/plain; charset=utf-8", report.encode())
    return {"files": len(files), "bytes_before": before, "bytes_after": after}


@function(every_s=15, max_retries=3, retry_delay_s=1.0)
def flaky_fetch(job: Job, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Fetch from a server of its own that takes a while to come up; impatient at first, so it is often refused.

    ``delay_s`` is how long the server takes (random); the patience is 0.2 s per attempt.
    """
    delay_s = float(kwargs.get("delay_s", random.uniform(0, 0.5)))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    threading.Thread(target=_serve_once, args=(port, delay_s), daemon=True).start()
    job.pause(0.2 * job.attempt)
    with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        greeting = connection.recv(64).decode()
    return {"attempt": job.attempt, "greeting": greeting}


def _serve_once(port: int, delay_s: float) -> None:
    time.sleep(delay_s)
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.settimeout(2)
        try:
            server.bind(("127.0.0.1", port))
            server.listen(1)
            client, _ = server.accept()
        except OSError:
            return  # nobody waited, or another took the port
        with client:
            client.sendall(b"hello")


@function(every_s=60, max_retries=1, retry_delay_s=1.0)
def always_fail(job: Job, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Open a file that is not there."""
    return {"text": (_archive() / "no-such-file.txt").read_text()}


@function(every_s=40, max_concurrency=1)
def fan_out(job: Job, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Count the lines of several packages, each in a child job, and add them up. One at a time: it holds a worker."""
    packages: list[str] = kwargs.get("packages") or ["json", "logging", "unittest"]
    children = [job.spawn("count_lines", {"package": package}) for package in packages]
    lines = 0
    counted: list[tuple[str, str]] = []
    for number, child in enumerate(children, 1):
        found = int(job.collect(child)["lines"])
        lines += found
        counted.append((packages[number - 1], f"{found:,} lines"))
        job.checkpoint({"counted": [name for name, _ in counted], "lines": lines})
        job.progress(number / len(children), f"{number} of {len(children)} packages")
    job.artifact("lines.html", "text/html", "text/html; charset=utf-8", documents.page("Lines by package", counted))
    return {"packages": packages, "lines": lines}


@function()
def count_lines(job: Job, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Count the lines of a package of the standard library."""
    package = str(kwargs.get("package", "json"))
    lines = 0
    for file in sorted((_library() / package).rglob("*.py")):
        lines += file.read_bytes().count(b"\n")
    job.progress(0.5, f"{lines} lines")
    job.pause(PACE_S)
    return {"package": package, "lines": lines}


@function(every_s=60, max_concurrency=1)
def machine_report(job: Job, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Sample this machine's processor in child jobs, and leave it as figures, as a drawing, as an image and as two documents."""
    parts = int(kwargs.get("parts", 2))
    children = [job.spawn("sample_processor", {"samples": 12}) for _ in range(parts)]
    samples: list[float] = []
    for number, child in enumerate(children, 1):
        samples += job.collect(child)["samples"]
        job.checkpoint({"parts": number, "samples": len(samples)})
        job.progress(number / (parts + 1), f"{number} of {parts} parts")
    memory, disk = psutil.virtual_memory().percent, psutil.disk_usage("/").percent
    mean = round(sum(samples) / max(1, len(samples)), 1)
    rows = [("Processor, mean", f"{mean} %"), ("Memory", f"{memory} %"), ("Disk", f"{disk} %"), ("Samples", str(len(samples)))]
    figures = {"processor_percent": samples, "memory_percent": memory, "disk_percent": disk}
    job.artifact("figures.json", "json", "application/json", json.dumps(figures).encode())
    job.artifact("processor.png", "image/png", "image/png", documents.png(samples))
    job.artifact("memory.svg", "image/svg+xml", "image/svg+xml", documents.svg("Memory", memory))
    job.artifact("report.html", "text/html", "text/html; charset=utf-8", documents.page("Machine report", rows))
    text = [f"{name}: {value}" for name, value in rows]
    job.artifact("report.pdf", "application/pdf", "application/pdf", documents.pdf("Machine report", text))
    return {"processor_percent": mean, "memory_percent": memory, "disk_percent": disk}


@function()
def sample_processor(job: Job, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Look at the processor a few times a second."""
    count = int(kwargs.get("samples", 12))
    samples: list[float] = []
    psutil.cpu_percent()
    for number in range(1, count + 1):
        job.pause(PACE_S)
        samples.append(psutil.cpu_percent())
        if number % 4 == 0:
            job.checkpoint({"samples": number})
            job.progress(number / count, f"{samples[-1]:.0f} %")
    return {"samples": samples}


@function(every_s=60)
def prune_history(job: Job, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Delete all but the newest archives that ``compress_logs`` left."""
    archives = sorted(_archive().glob("*.gz"), key=lambda file: file.stat().st_mtime, reverse=True)
    freed = 0
    for file in archives[ARCHIVES:]:
        freed += file.stat().st_size
        file.unlink(missing_ok=True)
    return {"deleted": len(archives[ARCHIVES:]), "freed_bytes": freed}
