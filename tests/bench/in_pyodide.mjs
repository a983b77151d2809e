// Runs a benchmark in the browser's own Python, Pyodide under Node: `node tests/bench/in_pyodide.mjs core.py`.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const prepared = spawnSync(resolve(root, ".venv/bin/python"), [resolve(root, "web/test_packages.py")], { encoding: "utf8" });
if (prepared.status !== 0) throw new Error(prepared.stderr);
const places = JSON.parse(prepared.stdout);
const { loadPyodide } = await import(pathToFileURL(`${places.pyodide}/pyodide.mjs`).href);
const { info } = JSON.parse(readFileSync(`${places.pyodide}/pyodide-lock.json`, "utf8"));
const pyodide = await loadPyodide({
  indexURL: places.pyodide,
  stdLibURL: places.stdlib,
  lockFileContents: { info, packages: {} },
  env: { HOME: "/home/pyodide", PYDANTIC_DISABLE_PLUGINS: "__all__" },
});
for (const [at, host] of [["/repo", root], ["/packages", places.site], ["/bytecode", places.bytecode]]) {
  pyodide.FS.mkdirTree(at);
  pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: host }, at);
}
pyodide.globals.set("NAME", process.argv[2]);
pyodide.runPython(`
import runpy
import sys

sys.path[:0] = ["/repo", "/packages"]
sys.pycache_prefix = "/bytecode"
sys.argv = [NAME]
runpy.run_path(f"/repo/tests/bench/{NAME}", run_name="__main__")
`);
