"""The command line: one sentence and exit 2 for what is wrong, one line when ready, exit 0 after a signal."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from server_stub.__main__ import main, parse
from server_stub.settings import Limits, Times

from .running import until

OPTIONS = ("--port", "0", "--source", "sim", "--rate", "0", "--profile", "test", "--data")
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--source", "redis"], "--source must be local, sim or replay:DIR, not 'redis'."),
        (["--source", "replay:"], "--source must be local, sim or replay:DIR, not 'replay:'."),
        (["--source", "replay:/no/such"], "There is no folder '/no/such' to replay."),
        (["--rate", "5001"], "--rate must be from 0 to 5000 events per second, not 5001."),
        (["--rate", "fast"], "--rate must be a number of events per second, not 'fast'."),
        (["--rate", "nan"], "--rate must be from 0 to 5000 events per second, not nan."),
        (["--port", "70000"], "--port must be from 0 to 65535, not 70000."),
        (["--port", "http"], "--port must be a whole number, not 'http'."),
        (["--seed", "-1"], "--seed must be at least 0, not -1."),
        (["--profile", "fast"], "--profile must be one of development, production, docker, test, not 'fast'."),
        (["--allow-origin", "example.org"], "--allow-origin must be like https://console.example.org, not 'example.org'."),
        (["--streams", "many"], "--streams must be a whole number, not 'many'."),
        (["--colour"], "Unrecognized arguments: --colour."),
    ],
)
def test_a_bad_value_is_one_sentence_and_exit_2(capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err == sentence + "\n"
    assert captured.out == ""


def test_a_folder_without_recordings_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--source", f"replay:{tmp_path}"]) == 2
    assert "holds no recordings" in capsys.readouterr().err


def test_a_profile_of_the_environment_that_does_not_exist_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # RT-70
    monkeypatch.setenv("PENSTOCK_PROFILE", "fast")
    assert main([]) == 2
    assert "PENSTOCK_PROFILE is 'fast'" in capsys.readouterr().err


def test_a_port_in_use_is_said_with_the_option_that_helps(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert error == f"Port {port} on 127.0.0.1 is in use; choose another with --port (or PORT= for make).\n"


def test_the_profile_test_divides_every_time_by_20_and_has_no_limits() -> None:  # RT-70
    settings = parse(["--profile", "test"])
    assert settings.times == Times.of("test")
    assert (settings.times.heartbeat_s, settings.times.snapshot_interval_s) == (0.25, 0.025)
    assert settings.times.metrics_interval_ms == 250
    assert settings.limits == Limits(0, 0, 0)
    assert parse(["--profile", "test", "--streams", "7"]).limits.streams == 7
    assert parse(["--profile", "production"]).limits == Limits(24, 2_000, 600)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_when_it_is_ready_and_a_signal_stops_it_with_exit_0(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "server_stub",
            *["--port", "0", "--source", "sim", "--rate", "0", "--profile", "test", "--data"],
            str(tmp_path),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        assert line.startswith("Penstock is ready at http://127.0.0.1:")
        assert line.endswith("/\n")
        process.send_signal(number)
        until(lambda: process.poll() is not None, "it stops")
        assert process.returncode == 0
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""


def test_the_contract_is_the_whole_one_unless_part_a_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse([]).contract == "b"
    assert parse(["--contract", "a"]).contract == "a"
    assert main(["--contract", "c"]) == 2
    assert capsys.readouterr().err.startswith("Argument --contract: invalid choice: 'c'")
