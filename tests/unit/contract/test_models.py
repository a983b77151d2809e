"""What the models promise beyond the recordings."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from pyapp.contract.base import Time
from pyapp.contract.config import ServerConfig
from pyapp.contract.errors import ErrorAnswer
from pyapp.contract.events import AnyEvent, JobStarted
from pyapp.contract.frames import Bye, Heartbeat, Hello, Reset
from pyapp.contract.jobs import Job, JobsStats

JOB = {"id": "j", "job_key": "j", "function": "f", "function_name": "f", "status": "active", "root_id": "j"}


@pytest.mark.parametrize(
    "text",
    ["2026-11-20T07:12:55.5Z", "2026-11-20T07:12:55.5+00:00", "2026-11-20T07:12:55.5", "2026-11-20T09:12:55.5+02:00"],
)
def test_every_spelling_of_a_time_is_the_same_moment_and_is_written_with_z(text: str) -> None:
    adapter: TypeAdapter[datetime] = TypeAdapter(Time)
    value = adapter.validate_python(text)
    assert value == datetime(2026, 11, 20, 7, 12, 55, 500_000, tzinfo=UTC)
    assert value.tzinfo is UTC
    assert adapter.dump_json(value) == b'"2026-11-20T07:12:55.500000Z"'


def test_absent_and_null_mean_the_same() -> None:
    nulls = {"kwargs": None, "error": None, "timeout": None, "source": None}
    assert Job.model_validate(JOB | nulls) == Job.model_validate(JOB)


def test_unknown_fields_are_ignored_and_models_are_frozen() -> None:
    job = Job.model_validate(JOB | {"colour": "red"})
    assert not hasattr(job, "colour")
    with pytest.raises(ValidationError):
        job.status = "failed"


def test_rows_of_one_shape_share_the_set_of_the_fields_that_they_had_and_a_copy_has_its_own() -> None:
    one, other = Job.model_validate(JOB), Job.model_validate(JOB | {"id": "k"})
    longer = Job.model_validate(JOB | {"error": "no"})
    assert one.__pydantic_fields_set__ is other.__pydantic_fields_set__
    assert longer.model_fields_set == {*JOB, "error"}
    assert one.model_copy(update={"error": "no"}).model_fields_set == {*JOB, "error"}
    assert other.model_fields_set == set(JOB)


def test_not_a_number_is_refused() -> None:
    text = '{"total":1,"success_count":1,"failure_count":0,"cancelled_count":0,"success_rate":NaN}'
    with pytest.raises(ValidationError):
        JobsStats.model_validate_json(text)


def test_the_type_tells_the_event_and_an_unknown_type_is_refused() -> None:
    adapter: TypeAdapter[object] = TypeAdapter(AnyEvent)
    event = adapter.validate_json(
        '{"type":"job.started","job_id":"j","root_id":"j","worker_id":"w","function":"f","function_name":"f",'
        '"attempt":1,"max_retries":0,"started_at":"2026-11-20T07:12:55Z"}'
    )
    assert isinstance(event, JobStarted)
    with pytest.raises(ValidationError):
        adapter.validate_json('{"type":"job.exploded","job_id":"j","root_id":"j"}')


def test_named_frames_of_part_b_parse() -> None:  # RT-26, RT-27, RT-38
    at = "2026-11-20T07:12:55Z"
    hello = Hello.model_validate({"epoch": "e", "at": at, "heartbeat_ms": 5000, "retry_ms": 1000, "resumed": True, "scopes": []})
    assert hello.resumed
    assert Heartbeat.model_validate({"at": at, "scopes": ["cluster"], "sequence": 7}).scopes == ("cluster",)
    assert Reset.model_validate({"reason": "backpressure"}).reason == "backpressure"
    assert Bye.model_validate({"reason": "shutdown", "retry_ms": 1000}).retry_ms == 1000


def test_the_configuration_parses() -> None:  # RT-70, RT-71
    config = ServerConfig.model_validate(
        {
            "profile": "test",
            "flags": {"enable_sse_streaming": {"enabled": True, "percentage": 50, "users": ["ada"]}},
            "metrics_interval_ms": 250,
            "live_refresh_interval_ms": 250,
            "server": {"name": "penstock", "version": "0.1.0", "epoch": "e", "contract": ["a", "b"]},
        }
    )
    assert config.flags["enable_sse_streaming"].users == ("ada",)
    assert config.server.contract == ("a", "b")


def test_an_error_says_its_complaints_in_one_line() -> None:
    assert ErrorAnswer.model_validate({"detail": "Job not found"}).sentence() == "Job not found"
    item = {"type": "enum", "loc": ["query", "type"], "msg": "Input should be 'task'", "input": "x"}
    assert ErrorAnswer.model_validate({"detail": [item]}).sentence() == "query.type: Input should be 'task'"
