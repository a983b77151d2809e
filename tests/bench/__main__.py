"""Every benchmark, or those that are named: `python -m tests.bench [name…]`.

Each prints one JSON line per figure. Ratios are of runs side by side; see docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BENCHES = {
    "boot": [["boot.py"]],
    "streaming-flag": [["streaming_flag.py"]],
    "events": [["event_flow.py"]],
    "peak": [["peak.py"]],
    "freshness": [["freshness.py"]],
    "core": [["core.py"]],
    "requests": [["asking.py"]],
    "render": [["render.py"]],
    "idle": [["console_at_work.py", "idle"]],
    "responsiveness": [["console_at_work.py", "responsiveness"]],
    "tabs": [["tabs.py"]],
    "window": [["window_list.py"]],
}
BUSY = 2.5


def main() -> int:
    """Run them one after the other; one that fails keeps no other from running, and fails the whole."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Benchmarks, one JSON line per figure.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"any of {', '.join(BENCHES)}; all of them without")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}: choose from {', '.join(BENCHES)}")
    load = os.getloadavg()[0]
    if load > BUSY:
        print(f"This machine is busy (load {load:.1f}): times will be too long, ratios less sure.", file=sys.stderr)
    failed = 0
    for name in options.names or BENCHES:
        began = time.monotonic()
        for command in BENCHES[name]:
            failed = subprocess.run([sys.executable, str(HERE / command[0]), *command[1:]], check=False).returncode or failed
        print(f"{name} took {time.monotonic() - began:.0f} s.", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
