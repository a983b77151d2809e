"""What takes too long for every test run: `make soak`, or a part of it.

    python -m tests.soak histories [--count 10000] [--first 0]
    python -m tests.soak replay FILE
    python -m tests.soak browser [--minutes 15] [--rate 200]

`histories` are those of the convergence test. A failing one is shortened and kept below test-results/histories, from where `replay`
runs it again. `browser` is a person at the real console in Chromium, under load and faults; it prints one JSON line of what was seen.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit" / "core"), str(ROOT / "tests" / "e2e")]

KEPT = ROOT / "test-results" / "histories"
SAID_EVERY = 1_000


def histories(first: int, count: int) -> int:
    """Run random histories; how many failed."""
    from histories import keep, make, run, shortened

    failed = 0
    for seed in range(first, first + count):
        history = make(seed)
        wrong = run(history)
        if wrong:
            failed += 1
            print(f"seed {seed}: {wrong[0]}\n  kept as {keep(shortened(history), KEPT)}", flush=True)
        if (seed - first + 1) % SAID_EVERY == 0:
            print(f"{seed - first + 1} histories, {failed} failed", flush=True)
    return failed


def replay(path: Path) -> int:
    """Run a kept history; how much is wrong with it."""
    from histories import History, run

    wrong = run(History.from_json(path.read_text(encoding="utf-8")))
    print("\n".join(wrong) or "All is as it must be.")
    return len(wrong)


def main() -> int:
    """The exit code: 0 when nothing failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Long tests.")
    parts = parser.add_subparsers(dest="part", required=True)
    many = parts.add_parser("histories", help="random histories against the scripted server")
    many.add_argument("--count", type=int, default=10_000)
    many.add_argument("--first", type=int, default=0)
    again = parts.add_parser("replay", help="one history from its file")
    again.add_argument("path", type=Path)
    real = parts.add_parser("browser", help="the real console under load and faults")
    real.add_argument("--minutes", type=float, default=15)
    real.add_argument("--rate", type=int, default=200)
    real.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.part == "histories":
        return min(1, histories(options.first, options.count))
    if options.part == "replay":
        return min(1, replay(options.path))
    from tests.soak.browser import soak

    return soak(options.minutes, options.rate, options.seed)


if __name__ == "__main__":
    sys.exit(main())
