"""Files of what a list shows: raw, quoted, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

from page_fakes import NOW, NOW_MS, job, jobs

from pyapp.pages.exporting import csv_text, effects, file_name, json_text, records
from pyapp.pages.protocol import Download, Shown, ShowToast

SPAN = (datetime(2026, 11, 20, 7, tzinfo=UTC), datetime(2026, 11, 20, 8, tzinfo=UTC))


def read(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_a_csv_file_reads_back_as_what_the_server_says() -> None:
    rows = (job(1, duration_ms=402.5, error='it said "no",\r\nthen — nothing', kwargs={"a": [1, "ü"]}), job(2))
    first, second = read(csv_text(records(rows)))
    assert first["id"] == "job_1"
    assert first["error"] == 'it said "no",\r\nthen — nothing'
    assert first["duration_ms"] == "402.5"
    assert json.loads(first["kwargs"]) == {"a": [1, "ü"]}
    assert datetime.fromisoformat(first["created_at"]).tzinfo is not None
    assert second["error"] == ""


def test_what_a_spreadsheet_would_take_for_a_formula_is_text() -> None:
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]
    rows = [{"name": text, "number": -1.5} for text in (*hostile, "a=1")]
    back = read(csv_text(rows))
    assert [row["name"] for row in back] == [f"'{text}" for text in hostile] + ["a=1"]
    # A number is a number, below zero too.
    assert {row["number"] for row in back} == {"-1.5"}


def test_json_has_every_value_as_it_is() -> None:
    hostile = "=cmd|' /C calc'!A0"
    assert json.loads(json_text((job(1, error=hostile),)))[0]["error"] == hostile


def test_rows_with_different_fields_share_one_head() -> None:
    assert csv_text([{"a": 1}, {"b": True, "a": None}]) == "\ufeffa,b\r\n1,\r\n,true\r\n"


def test_the_name_and_the_message_say_what_it_is_and_how_much() -> None:
    window = Shown(jobs(3), "window", SPAN)
    assert file_name("jobs", window, "csv", NOW_MS) == "jobs-window-20261120T070000Z-20261120T080000Z.csv"
    stamp = NOW.strftime("%Y%m%dT%H%M%SZ")
    assert file_name("API requests", Shown(jobs(3), "latest"), "json", NOW_MS) == f"api-requests-latest-3-{stamp}.json"
    assert file_name("workers", Shown((), "all"), "csv", NOW_MS) == f"workers-all-{stamp}.csv"
    file, toast = effects("jobs", window, "json", NOW_MS)
    assert isinstance(file, Download)
    assert isinstance(toast, ShowToast)
    assert toast.title == "3 rows exported"
    assert "whole window" in toast.text
