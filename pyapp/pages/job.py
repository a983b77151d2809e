"""One job: what it does now, its tree over time, its runs, what it left behind, and all that is known of it.

The state is in `job_state`, each part in a module of its own; this one puts them together.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyapp.pages import addresses
from pyapp.pages.cancel_dialog import cancel_dialog
from pyapp.pages.job_artifacts import artifacts
from pyapp.pages.job_details import details
from pyapp.pages.job_runs import runs
from pyapp.pages.job_state import State, Tab, initial, needs, params, update
from pyapp.pages.job_summary import summary
from pyapp.pages.job_tabs import tabs
from pyapp.pages.job_timeline import timeline
from pyapp.pages.live_control import SetLive
from pyapp.pages.protocol import Env, Heading, Listing, Panel, Results, Shown
from pyapp.ui import TemplateResult, html

__all__ = ["PANELS", "State", "heading", "initial", "layout", "needs", "params", "update"]


def heading(state: State) -> Heading:
    return Heading("Jobs", state.job_id, addresses.to("jobs"))


def layout(state: State, env: Env) -> TemplateResult:
    """The head, then one of its parts under their tabs."""
    return html(
        t'<div class="grid"><div class="root" data-root="panel summary"></div><div class="c12 parts">'
        t'<div class="root" data-root="panel tabs"></div><div class="root" data-root="panel timeline"></div>'
        t'<div class="root" data-root="panel runs"></div><div class="root" data-root="panel artifacts"></div>'
        t'<div class="root" data-root="panel details"></div></div></div><div class="root" data-root="panel confirm"></div>'
    )


def _confirm(state: State, results: Results, env: Env) -> TemplateResult:
    return cancel_dialog(state.confirming)


def _tree(tab: Tab) -> Listing:
    """The jobs of the tree, as the part that shows them; all parts go on or stop together."""

    def shown(state: State, results: Results, env: Env) -> Shown | None:
        tree = results["timeline"].data if state.tab == tab else None
        return Shown(tuple(tree.jobs), "all") if tree is not None else None

    return Listing("jobs", shown, lambda state: state.live, lambda state, on, now_ms: SetLive(panel=tab, live=on))


PANELS: Mapping[str, Panel] = {
    "summary": Panel(("job", "timeline", "workers"), summary),
    "tabs": Panel(("timeline", "artifacts", "job"), tabs),
    "timeline": Panel(("timeline",), timeline, listing=_tree("timeline")),
    "runs": Panel(("timeline",), runs, listing=_tree("runs")),
    "artifacts": Panel(("artifacts", "content"), artifacts),
    "details": Panel(("job",), details),
    "confirm": Panel((), _confirm),
}
