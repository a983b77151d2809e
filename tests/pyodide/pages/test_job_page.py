"""One job's page: its address, its head, what is asked of it, its artifacts and its details."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_fakes import ENV, NOW, LiveList, draw, elements, job, result, section, take, words, worker

from pyapp.contract.artifacts import Artifact, ArtifactsPage
from pyapp.contract.jobs import Timeline
from pyapp.core.cache.keys import item
from pyapp.core.errors import HttpError, NetworkError
from pyapp.core.freshness import FreshnessReason as Why
from pyapp.core.freshness import FreshnessState
from pyapp.inventory.wire import CONTENT_BYTES
from pyapp.pages import job as page
from pyapp.pages.artifact_kinds import kind_of, size
from pyapp.pages.asked import AskCancel, Cancel, Dismiss, KeepJob, Retry, ending
from pyapp.pages.copying import COPIED_MAX, copy_button
from pyapp.pages.job_state import ChooseArtifact, ChooseTab, State
from pyapp.pages.live_control import SetLive
from pyapp.pages.panel import Reload
from pyapp.pages.protocol import Env, Mutate, MutationDone, MutationFailed, Refresh, Visit
from pyapp.pages.sorting import SortBy
from pyapp.ui import to_html

EVIL = '<img src=x onerror="alert(1)">\u202e'
STATE = State(job_id="job_1")
GONE = HttpError("The server answered 404: Job not found.", status=404)


def step(state: State, *messages: Any) -> State:
    for message in messages:
        state, _ = take(page.update(state, message))
    return state


def head(one: Any, state: State = STATE, **others: Any) -> str:
    results = {"job": result(one), "timeline": result(), "workers": result(LiveList((), 0)), **others}
    return draw(page.PANELS, "summary", state, results)


def the_details(one: Any) -> str:
    return draw(page.PANELS, "details", State(job_id="job_1", tab="details"), {"job": result(one)})


def artifact(name: str = "a.txt", kind: str = "text/plain", **more: Any) -> Artifact:
    given = {"id": f"id-{name}", "job_id": "job_1", "name": name, "type": kind, "content_type": kind, "size_bytes": 28}
    return Artifact.model_validate(
        {**given, "storage_backend": "local", "storage_key": "k", "status": "available", "created_at": NOW, **more}
    )


def looked(one: Artifact, content: Any = None, api: str = "https://api.test/api/v1/", **more: Any) -> str:
    state = State(job_id="job_1", tab="artifacts", artifact=more.pop("chosen", one.id))
    results = {"artifacts": result(ArtifactsPage(artifacts=(one,), total=1)), **({"content": content} if content else {})}
    return draw(page.PANELS, "artifacts", state, results, Env(now_ms=ENV.now_ms, api=api))


# -- The address


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "tab": st.sampled_from(["runs", "artifacts", "details"]),
            "sort": st.sampled_from(["-duration", "status", "-started"]),
            "paused": st.just("1"),
        },
    )
)
def test_an_address_survives_its_way_through_the_state(params: dict[str, str]) -> None:
    state = page.initial({"job_id": "j", **params})
    assert page.params(state) == params
    assert state.problem is None


@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(["job_id", "tab", "artifact", "sort", "paused"]), st.text(max_size=20)))
def test_any_address_gives_a_page_whose_queries_can_be_named(params: dict[str, str]) -> None:
    state = page.initial(params)
    assert {str(need.key) for need in page.needs(state).values()}


def test_what_the_address_names_wrongly_is_said() -> None:
    assert "a part of a job" in (page.initial({"job_id": "j", "tab": "x"}).problem or "")
    assert "a column" in (page.initial({"job_id": "j", "sort": "x"}).problem or "")


def test_only_the_tab_of_the_artifacts_follows_them_and_only_a_chosen_text_is_read() -> None:
    # RT-20
    needs = page.needs(STATE)
    assert (needs["job"].key, needs["timeline"].pages) == (item("jobs", "job_1"), True)
    assert needs["artifacts"].live is False
    chosen = page.needs(step(STATE, ChooseArtifact(artifact_id="a")))
    assert (chosen["artifacts"].live, chosen["content"].key) == (True, item("artifacts.content", "a"))
    assert chosen["content"].live is False


def test_a_tab_and_an_artifact_are_places_that_the_back_button_knows() -> None:
    state, effects = take(page.update(STATE, ChooseTab(tab="artifacts")))
    assert (page.params(state), effects) == ({"tab": "artifacts"}, (Visit(),))
    state, effects = take(page.update(state, ChooseArtifact(artifact_id="a")))
    assert (page.params(state), effects) == ({"tab": "artifacts", "artifact": "a"}, (Visit(),))
    assert page.params(step(state, ChooseTab(tab="runs"))) == {"tab": "runs"}


def test_timeline_and_artifacts_stop_together_and_the_head_goes_on() -> None:
    # RT-5
    state = step(STATE, ChooseTab(tab="artifacts"), SetLive(panel="artifacts", live=False))
    needs = page.needs(state)
    assert [needs[name].live for name in ("job", "timeline", "artifacts")] == [True, False, False]
    assert page.params(state)["paused"] == "1"


def test_refresh_and_the_order_do_what_they_say() -> None:
    # RT-37
    assert take(page.update(STATE, Reload(needs=("job",))))[1] == (Refresh("job"),)
    assert page.params(step(STATE, SortBy(column="duration"))) == {"sort": "-duration"}
    assert step(STATE, SortBy(column="nonsense")) == STATE


# -- The head


def test_the_head_says_what_the_job_does_and_leads_to_function_worker_and_parent() -> None:
    one = job(1, "active", progress=0.58, message="3 of 5", worker_id="general_0", parent_id="job_0", attempts=2, max_retries=2)
    text = head(one, workers=result(LiveList((worker("general", 1),), 1)))
    assert {"#/functions/demo.leaf", "#/workers/general", "#/jobs/job_0"} <= {a.attributes["href"] for a in elements(text, "a")}
    assert elements(text, "progress")[0].attributes["value"] == "58"
    said = words(text)
    assert "3 of 5" in said
    assert "2 of 3" in said
    assert "Running for" in said
    assert elements(text, "pen-age")


def test_an_instance_whose_worker_is_not_known_leads_to_its_jobs() -> None:
    text = head(job(1, worker_id="w_9"))
    assert "#/jobs?worker=w_9" in [a.attributes["href"] for a in elements(text, "a")]


@pytest.mark.parametrize(
    ("status", "word"), [("queued", "Cancel job"), ("active", "Cancel job"), ("failed", "Retry"), ("complete", "")]
)
def test_what_can_be_asked_of_a_job_depends_on_what_it_does(status: Any, word: str) -> None:
    buttons = words(head(job(1, status)))
    assert ("Cancel job" in buttons, "Retry" in buttons) == (word == "Cancel job", word == "Retry")


def test_a_long_error_is_shortened_in_the_head_and_whole_in_the_details() -> None:
    error = "\n".join(["ValueError: no", *(f"line {n}" for n in range(20))])
    text = words(head(job(1, "failed", error=error)))
    assert "line 19" in text
    assert "line 3" not in text
    assert "Whole traceback" in text
    assert "line 3" in draw(
        page.PANELS, "details", State(job_id="job_1", tab="details"), {"job": result(job(1, "failed", error=error))}
    )


def test_an_unknown_job_is_no_such_job_and_another_failure_is_not() -> None:
    none = result(None, FreshnessState.ERROR, Why.MISSING, error=GONE)
    text = draw(page.PANELS, "summary", STATE, {"job": none, "timeline": result(), "workers": result()})
    assert "No such job: job_1." in words(text)
    lost = result(None, FreshnessState.ERROR, Why.NETWORK, error=NetworkError("The server could not be reached."))
    text = draw(page.PANELS, "summary", STATE, {"job": lost, "timeline": result(), "workers": result()})
    assert "The job did not load." in words(text)
    waiting = draw(
        page.PANELS, "summary", STATE, {"job": result(state=FreshnessState.LOADING), "timeline": result(), "workers": result()}
    )
    assert section(waiting)["data-freshness"] == "loading"


def test_the_tree_is_summed_up() -> None:
    tree = Timeline(jobs=(job(1), job(2, "failed")), total=2, has_more=False)
    assert "2 jobs, 1 failed" in words(head(job(1), timeline=result(tree)))


# -- What is asked


def test_cancelling_asks_first_and_then_shows_what_the_job_does_and_not_what_was_asked() -> None:
    state, effects = take(page.update(STATE, AskCancel(job_id="job_1", name="leaf")))
    assert effects == ()
    assert "Cancel leaf?" in words(draw(page.PANELS, "confirm", state, {}))
    assert step(state, KeepJob()).confirming is None
    state, effects = take(page.update(state, Cancel(job_id="job_1")))
    assert effects == (Mutate("jobs.cancel", {"job_id": "job_1"}),)
    assert "on its way" in words(head(job(1, "active"), state))
    state = step(state, MutationDone("jobs.cancel", {"job_id": "job_1"}))
    assert "The job is still active." in words(head(job(1, "active"), state))
    assert "Asked" not in words(head(job(1, "cancelled"), state))


def test_a_refusal_is_said_with_the_servers_reason_until_it_was_read() -> None:
    state = step(STATE, Cancel(job_id="job_1"), MutationFailed("jobs.cancel", {"job_id": "job_1"}, "It is done already."))
    assert "Cancel was refused: It is done already." in words(head(job(1, "active"), state))
    assert "refused" not in words(head(job(1, "active"), step(state, Dismiss(job_id="job_1"))))


def test_a_retry_that_fails_again_is_not_asked_for_any_more() -> None:
    before = job(1, "failed", attempts=1, completed_at=NOW)
    state = step(STATE, Retry(job_id="job_1", seen=ending(before)), MutationDone("jobs.retry", {"job_id": "job_1"}))
    assert "Asked" in words(head(before, state))
    assert "Asked" not in words(head(job(1, "failed", attempts=2, completed_at=NOW), state))


# -- Tabs


def test_the_tabs_count_what_is_known() -> None:
    tree = Timeline(jobs=(job(1), job(2)), total=2, has_more=False)
    listed = result(ArtifactsPage(artifacts=(artifact(),), total=1))
    given = {"timeline": result(tree), "artifacts": listed}
    assert "Task runs2Artifacts1" in words(draw(page.PANELS, "tabs", STATE, {**given, "job": result(job(1))}))
    # What still runs may leave more: elsewhere than in its own tab nobody follows that.
    assert "Artifacts1" not in words(draw(page.PANELS, "tabs", STATE, {**given, "job": result(job(1, "active"))}))


# -- Artifacts


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("text", "text"),
        ("text/csv; charset=utf-8", "text"),
        ("application/xml", "text"),
        ("json", "json"),
        ("application/json", "json"),
        ("application/geo+json", "json"),
        ("image/png", "image"),
        ("image/svg+xml", "image"),
        ("image/tiff", "none"),
        ("application/pdf", "pdf"),
        ("TEXT/HTML", "html"),
        ("application/xhtml+xml", "html"),
        ("application/zip", "none"),
        ("", "none"),
    ],
)
def test_an_artifact_is_shown_by_what_it_says_it_is(kind: str, shown: str) -> None:
    assert kind_of(artifact(kind=kind, content_type=kind or None)) == shown


def test_sizes_are_short() -> None:
    assert [str(size(n)) for n in (None, 0, 999, 1_000, 1_536, 1_048_576, 5 * 1024**3)] == [
        "—",
        "0 B",
        "999 B",
        "0.98 KB",
        "1.5 KB",
        "1 MB",
        "5 GB",
    ]


def test_the_list_offers_a_look_and_a_download_of_what_is_there() -> None:
    text = looked(artifact(), chosen="")
    links = elements(text, "a")
    assert [(a.attributes["href"], a.attributes["download"]) for a in links] == [
        ("https://api.test/api/v1/artifacts/id-a.txt/content?download=1", "a.txt")
    ]
    assert "Preview" in words(text)
    waiting = looked(artifact(status="queued", size_bytes=None), chosen="")
    assert elements(waiting, "a") == []
    assert "Queued" in words(waiting)


def test_text_is_text_and_a_long_one_says_how_much_of_it_is_shown() -> None:
    assert EVIL in words(looked(artifact(), result(EVIL)))
    assert elements(looked(artifact(), result(EVIL)), "img") == []
    long = artifact(size_bytes=3 * 1024 * 1024)
    assert "The first 256 KB of 3 MB are shown." in words(looked(long, result("x" * CONTENT_BYTES)))
    assert "It is empty." in words(looked(artifact(size_bytes=0), result("")))


def test_json_is_a_tree_and_what_is_none_says_so_above_its_text() -> None:
    one = artifact("a.json", "application/json")
    text = looked(one, result('{"a": [1, {"b": null}]}'))
    assert len(elements(text, "details")) == 3
    assert '"b": null' in words(text)
    wrong = words(looked(one, result("{oops")))
    assert "It says that it is JSON, and it is not." in wrong
    assert "{oops" in wrong
    deep = words(looked(one, result("[" * 50_000 + "]" * 50_000)))
    assert "It is nested too deeply for a tree." in deep
    cut = words(looked(artifact("b.json", "json", size_bytes=CONTENT_BYTES + 1), result("[")))
    assert "As a tree only what was read whole can be shown." in cut


def test_an_image_a_pdf_and_a_page_are_the_browsers_and_nothing_of_a_page_runs() -> None:
    image = elements(looked(artifact("dot.png", "image/png")), "img")[0]
    assert image.attributes["src"] == "https://api.test/api/v1/artifacts/id-dot.png/content"
    assert elements(looked(artifact("a.pdf", "application/pdf")), "pen-pdf")
    frame = elements(looked(artifact("a.html", "text/html")), "iframe")[0]
    assert (frame.attributes["sandbox"], frame.attributes["referrerpolicy"]) == ("", "no-referrer")


def test_what_cannot_be_shown_says_why() -> None:
    assert "There is no preview of application/zip." in words(looked(artifact("a.zip", "application/zip")))
    assert "too large to be shown" in words(looked(artifact("a.png", "image/png", size_bytes=10**9)))
    gone = result(None, FreshnessState.ERROR, Why.MISSING, error=HttpError("The server answered 404.", status=404))
    assert "Its content is gone." in words(looked(artifact(), gone))
    broken = result(None, FreshnessState.ERROR, Why.SERVER, error=HttpError("The server answered 500.", status=500))
    assert "Read again" in words(looked(artifact(), broken))
    assert "This artifact is gone." in words(looked(artifact(), chosen="other"))
    assert "Reading…" in words(looked(artifact(), result()))


# -- Details


def test_the_details_show_what_was_given_and_made_with_something_to_copy_each() -> None:
    one = job(1, "complete", kwargs={"order": 60}, result=[1], checkpoint={"step": 4}, checkpoint_at=NOW, source={"type": "task"})
    text = the_details(one)
    labels = [button.attributes["aria-label"] for button in elements(text, "button") if "aria-label" in button.attributes]
    assert {"Copy the arguments", "Copy the result", "Copy the checkpoint", "Copy job", "Copy root"} <= set(labels)
    assert '"order": 60' in words(text)
    bare = words(the_details(job(1, "active")))
    assert "It was given none." in bare
    assert "None, it has not ended yet." in bare
    assert "None was written." in bare


def test_a_text_that_is_too_long_has_no_copy_button() -> None:
    assert copy_button("the error", "") is None
    assert copy_button("the error", "x" * (COPIED_MAX + 1)) is None


def test_hostile_words_are_text_everywhere() -> None:
    one = job(
        1, "failed", function_name=EVIL, error=EVIL, kwargs={EVIL: EVIL}, result=EVIL, message=EVIL, worker_id=EVIL, parent_id=EVIL
    )
    given = {"job": result(one), "timeline": result(), "workers": result(), "artifacts": result()}
    for name, state in (("summary", STATE), ("details", State(job_id="job_1", tab="details"))):
        text = draw(page.PANELS, name, state, given)
        assert elements(text, "img") == []
        assert "onerror" in words(text)
    listed = looked(artifact(EVIL, EVIL, error=EVIL), chosen="")
    assert elements(listed, "img") == []


def test_the_layout_has_its_parts_under_the_tabs() -> None:
    text = to_html(page.layout(STATE, ENV))
    assert [one.attributes["data-root"] for one in elements(text, "div", **{"class": "root"})][:2] == ["panel summary", "panel tabs"]
