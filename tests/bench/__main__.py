"""Every benchmark, or those that are named: `python -m tests.bench [boot events core requests render idle responsiveness tabs]`.

Each prints one JSON line per figure. Ratios are of runs side by side; see docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BENCHES = {
    "boot": [["boot.py"]],
    "events": [["event_flow.py"]],
    "core": [["core.py"]],
    "requests": [["asking.py"]],
    "render": [["render.py"]],
    "idle": [["console_at_work.py", "idle"]],
    "responsiveness": [["console_at_work.py", "responsiveness"]],
    "tabs": [["tabs.py"]],
}
BUSY = 2.5


def main() -> int:
    """Run them one after the other; the exit code is that of the first that failed."""
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
        for command in BENCHES[name]:
            failed = failed or subprocess.run([sys.executable, str(HERE / command[0]), *command[1:]], check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
