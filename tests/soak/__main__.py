"""What takes too long for every test run: `make soak`, or a part of it.

    python -m tests.soak histories [--count 10000] [--first 0]
    python -m tests.soak tabs [--count 2000] [--first 0]
    python -m tests.soak replay FILE
    python -m tests.soak storm [--seconds 60] [--tabs 5] [--rate 200] [--seed 1]
    python -m tests.soak browser [--minutes 15] [--rate 200]

`histories` are those of the convergence test, `tabs` those of many tabs. A failing one is shortened and kept below
test-results/histories, from where `replay` runs it again. `storm` closes, hides, freezes and navigates real tabs at random;
`browser` is a person at the real console in Chromium, under load and faults. Both print one JSON line of what was seen.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "tests" / "unit" / "core"
sys.path[:0] = [str(ROOT), str(CORE), str(CORE / "tabs"), str(ROOT / "tests" / "e2e")]

KEPT = ROOT / "test-results" / "histories"
KINDS = {"histories": "histories", "tabs": "tab_histories"}
"""The module of each kind of history."""
SAID_EVERY = 1_000


def histories(kind: str, first: int, count: int) -> int:
    """Run random histories of a kind; how many failed."""
    module = importlib.import_module(KINDS[kind])
    failed = 0
    for seed in range(first, first + count):
        history = module.make(seed)
        wrong = module.run(history)
        if wrong:
            failed += 1
            print(f"seed {seed}: {wrong[0]}\n  kept as {module.keep(module.shortened(history), KEPT)}", flush=True)
        if (seed - first + 1) % SAID_EVERY == 0:
            print(f"{seed - first + 1} histories, {failed} failed", flush=True)
    return failed


def replay(path: Path) -> int:
    """Run a kept history; how much is wrong with it."""
    text = path.read_text(encoding="utf-8")
    module = importlib.import_module(KINDS[json.loads(text).get("kind", "histories")])
    wrong = module.run(module.History.from_json(text))
    print("\n".join(wrong) or "All is as it must be.")
    return len(wrong)


def main() -> int:
    """The exit code: 0 when nothing failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Long tests.")
    parts = parser.add_subparsers(dest="part", required=True)
    for kind, count in (("histories", 10_000), ("tabs", 2_000)):
        many = parts.add_parser(kind, help=f"random {kind} against the scripted server")
        many.add_argument("--count", type=int, default=count)
        many.add_argument("--first", type=int, default=0)
    again = parts.add_parser("replay", help="one history from its file")
    again.add_argument("path", type=Path)
    storm = parts.add_parser("storm", help="real tabs that come and go")
    storm.add_argument("--seconds", type=float, default=60)
    storm.add_argument("--tabs", type=int, default=5)
    storm.add_argument("--rate", type=int, default=200)
    storm.add_argument("--seed", type=int, default=1)
    real = parts.add_parser("browser", help="the real console under load and faults")
    real.add_argument("--minutes", type=float, default=15)
    real.add_argument("--rate", type=int, default=200)
    real.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.part in KINDS:
        return min(1, histories(options.part, options.first, options.count))
    if options.part == "replay":
        return min(1, replay(options.path))
    if options.part == "storm":
        from tests.soak.storm import storm as run_storm

        return run_storm(options.seconds, options.tabs, options.rate, options.seed)
    from tests.soak.browser import soak

    return soak(options.minutes, options.rate, options.seed)


if __name__ == "__main__":
    sys.exit(main())
