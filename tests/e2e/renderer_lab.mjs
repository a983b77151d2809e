// A Python of the browser's version in a process of its own: reads JSON lines `{"code": …}`, runs each in one namespace
// and answers with the JSON text in `answer`, or with the traceback. Used by renderer_lab.py, so that the page under test
// needs no interpreter and can keep its strict policy.

import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [root, placesText] = process.argv.slice(2);
const places = JSON.parse(placesText);
const { loadPyodide } = await import(pathToFileURL(`${places.pyodide}/pyodide.mjs`).href);
const { info } = JSON.parse(readFileSync(`${places.pyodide}/pyodide-lock.json`, "utf8"));
const pyodide = await loadPyodide({
  indexURL: places.pyodide,
  stdLibURL: places.stdlib,
  lockFileContents: { info, packages: {} },
  env: { PYDANTIC_DISABLE_PLUGINS: "__all__" },
});
for (const [at, host] of [["/repo", root], ["/packages", places.site], ["/bytecode", places.bytecode]]) {
  pyodide.FS.mkdirTree(at);
  pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: host }, at);
}
pyodide.runPython(`
import json, sys, traceback
sys.path[:0] = ["/repo", "/packages"]
sys.pycache_prefix = "/bytecode"

def run(code):
    scope["answer"] = None
    try:
        exec(code, scope)
    except Exception:
        return json.dumps({"error": traceback.format_exc()})
    return json.dumps({"answer": scope["answer"]})

scope = {"__name__": "lab"}
`);
const run = pyodide.globals.get("run");
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${run(JSON.parse(line).code)}\n`);
}
