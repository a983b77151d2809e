"""Every recorded answer and stream of a real server parses into the model it must parse into.

The recordings lie outside the repository (``PENSTOCK_RECORDINGS``, else ``../shared/recordings``). A clone without them
reads the committed samples instead; a file that no row of the table matches fails the test, wherever it lies.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from pyapp.contract import apis, artifacts, dashboard, errors, events, functions, health, jobs, workers
from pyapp.contract.frames import StreamError

ROOT = Path(__file__).parents[3]
SAMPLES = Path(__file__).parent / "samples"


def recordings() -> Path:
    """The folder that is read: the named one, the shared one, or the committed samples."""
    named = os.environ.get("PENSTOCK_RECORDINGS")
    if named:
        return Path(named)
    shared = ROOT.parent / "shared" / "recordings"
    return shared if shared.is_dir() else SAMPLES


FOLDER = recordings()

# Name (without folder) → model. The first row that matches counts.
ANSWERS: tuple[tuple[str, type[BaseModel]], ...] = (
    # What the real server answered, not what was expected of it: these two are named after expectations.
    (r"job_queued_404", jobs.Job),
    (r"artifact\.create\.queued_202", artifacts.ArtifactQueuedAnswer),
    (r".*_4(04|09|22)", errors.ErrorAnswer),
    (r".*\.422", errors.ErrorAnswer),
    (r"api\.v1\.unknown_path", errors.ErrorAnswer),
    (r"dashboard\.stats(\..*)?", dashboard.DashboardStats),
    (r"jobs\.list(\..*)?", jobs.JobsPage),
    (r"jobs\.stats", jobs.JobsStats),
    (r"jobs\.trends(\.cron)?", jobs.JobTrends),
    (r"job\.timeline", jobs.Timeline),
    (r"job\.cancel", jobs.CancelAnswer),
    (r"job\.retry", jobs.RetryAnswer),
    (r"job_(active|complete|failed|cancelled|retried)", jobs.Job),
    (r"job\.artifacts(\.unknown)?|artifacts\.list", artifacts.ArtifactsPage),
    (r"artifact\.delete", artifacts.ArtifactDeletedAnswer),
    (r"artifact\.(create|result|dot\.png|note\.txt)", artifacts.Artifact),
    (r"functions\.list(\.cron)?", functions.FunctionsPage),
    (r"function\.(pause|resume)", functions.PauseAnswer),
    (r"function\..*", functions.FunctionDetail),
    (r"workers\.list", workers.WorkersPage),
    (r"worker\.one", workers.Instance),
    (r"apis\.list", apis.ApisPage),
    (r"apis\.detail", apis.EndpointsPage),
    (r"apis\.trends", apis.ApiTrends),
    (r"apis\.events(\..*)?", apis.RequestsPage),
    (r"api\.endpoint", apis.Endpoint),
    (r"api\.(demo-api|unknown)", apis.ApiDetail),
    (r"metrics\.queue(\..*)?", health.QueueMetrics),
    (r"health|ready", health.Health),
    (r"auth\.status", health.AuthStatus),
    (r"auth\.verify", health.AuthVerify),
)

NOT_MODELS = {
    "openapi": "the description of the real server's API, no answer of the contract",
    "artifact.result.content": "the content of an artifact: any JSON",
    "artifact.result.download": "the content of an artifact: any JSON",
}

STREAMS: tuple[tuple[str, TypeAdapter[BaseModel]], ...] = (
    (r"events\.stream", TypeAdapter(events.JobEvent)),
    (r"apis\.stream", TypeAdapter(events.ApisEvent)),
    (r"apis\.events\.stream(\.filtered)?", TypeAdapter(events.ApiRequestEvent)),
    (r"apis\.(name|unknown)\.stream", TypeAdapter(events.ApiEvent)),
    (r"apis\.trends\.stream", TypeAdapter(events.ApisTrendsEvent)),
    (r"workers\.stream", TypeAdapter(events.WorkersEvent)),
    (r"jobs\.trends\.stream(\.task)?|race\.trends", TypeAdapter(events.JobsTrendsEvent)),
    (r"jobs\.(unknown\.)?artifacts\.stream", TypeAdapter(events.ArtifactEvent)),
)

# Text files that hold frames, most of them shortened by the recorder (a trailing ``...``): only whole frames are read.
TIMED = re.compile(r"idle\..*\.timed\.txt|redis-stop\..*\.txt|server-sigterm\..*\.txt|race\.events\.txt")

OTHER_FILES = {
    "README.md": "prose",
    "_index.tsv": "the list of calls",
    "JOB_slow_progress.txt": "an id that the recorder kept",
    "traffic.log": "a line of the recorder",
    "auth-probe.txt": "a transcript of curl with shortened bodies",
    "cancel_probe.txt": "a transcript of Python with reprs",
    "race.summary.txt": "a transcript with shortened frames",
    "redis-down-gets.txt": "a transcript with shortened bodies and plain-text 500s",
    "summary.txt": "a transcript with shortened bodies and plain-text 500s",
}


def files(*suffixes: str) -> list[Path]:
    """Every recorded file with one of these endings, in a stable order."""
    return sorted(path for path in FOLDER.rglob("*") if path.is_file() and path.name.endswith(suffixes))


def name_of(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def model_of(path: Path) -> type[BaseModel] | None:
    return next((model for pattern, model in ANSWERS if re.fullmatch(pattern, path.stem)), None)


def frames(text: str) -> Iterator[tuple[str, str]]:
    """(event, data) of every frame; comments and empty frames are left out."""
    for block in text.replace("\r\n", "\n").split("\n\n"):
        event, data = "message", list[str]()
        for line in block.split("\n"):
            if line.startswith("event:"):
                event = line[6:].strip()
            elif line.startswith("data:"):
                data.append(line[5:].strip())
        if data:
            yield event, "\n".join(data)


def check_frame(event: str, data: str, adapter: TypeAdapter[BaseModel]) -> None:
    if event == "open":
        assert data == "connected"
    elif event == "error":
        StreamError.model_validate_json(data)
    else:
        assert event == "message"
        first = adapter.validate_json(data)
        again = adapter.validate_json(adapter.dump_json(first))
        assert again == first


def test_something_is_recorded() -> None:
    assert files(".json"), f"no recordings in {FOLDER}"
    assert files(".sse"), f"no recorded streams in {FOLDER}"


@pytest.mark.parametrize("path", files(".json"), ids=name_of)
def test_every_recorded_answer_parses_and_survives_a_round_trip(path: Path) -> None:
    text = path.read_text()
    if path.stem in NOT_MODELS:
        json.loads(text)
        return
    model = model_of(path)
    assert model is not None, f"no row of ANSWERS matches {name_of(path)}"
    first = model.model_validate_json(text)
    assert model.model_validate_json(first.model_dump_json()) == first
    assert model.model_validate_json(first.model_dump_json(exclude_none=True)) == first  # absent means the same as null


@pytest.mark.parametrize("path", files(".sse"), ids=name_of)
def test_every_frame_of_every_recorded_stream_parses(path: Path) -> None:
    adapter = next((adapter for pattern, adapter in STREAMS if re.fullmatch(pattern, path.stem)), None)
    assert adapter is not None, f"no row of STREAMS matches {name_of(path)}"
    for event, data in frames(path.read_text()):
        check_frame(event, data, adapter)


@pytest.mark.parametrize("path", files(".txt"), ids=name_of)
def test_whole_frames_of_timed_recordings_parse(path: Path) -> None:
    if path.name in OTHER_FILES:
        return
    assert TIMED.fullmatch(path.name), f"no row of TIMED or OTHER_FILES matches {name_of(path)}"
    anything: TypeAdapter[BaseModel] = TypeAdapter(events.AnyEvent)
    chunks = re.findall(r"^\s*[\d.]+ '(.*)'$", path.read_text(), re.MULTILINE)
    assert chunks, f"{name_of(path)} holds no whole frame"
    for chunk in chunks:
        for event, data in frames(chunk.encode().decode("unicode_escape")):
            check_frame(event, data, anything)


def test_no_recorded_file_is_left_unread() -> None:
    read = {".json", ".sse", ".txt"}
    known = {".headers": "HTTP headers of a stream", ".bin": "raw bodies: artifacts, and HTML for a missing endpoint"}
    for path in files(""):
        assert path.suffix in read or path.suffix in known or path.name in OTHER_FILES, f"nothing reads {name_of(path)}"


def test_a_missing_endpoint_that_answers_html_is_not_taken_for_data() -> None:
    for path in files("unknown_path.bin"):
        for model in {model for _, model in ANSWERS}:
            with pytest.raises(ValidationError):
                model.model_validate_json(path.read_bytes())
