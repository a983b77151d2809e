"""Answer which standard modules the given imports bring in (run by prepare.mjs)."""

import json
import sys

sys.path.insert(0, "/job/site")
settings = json.loads(SETTINGS)  # type: ignore[name-defined]  # noqa: F821
exec(settings["imports"], {"__name__": "probe"})
ANSWER = json.dumps(sorted(name for name in sys.modules if name.partition(".")[0] in sys.stdlib_module_names))
