// Runs pytest in the browser's own Python (Pyodide under Node): `node tests/pyodide/run.mjs [pytest arguments]`.
// Without arguments it runs the tests of the core and those that need this interpreter (t-strings, pages, ui).
// The exit code and the output are pytest's.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const DEFAULT_PATHS = ["tests/unit/core", "tests/pyodide"];
const REPOSITORY = "/repo";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const chosen = process.argv.slice(2);
const places = prepare();
const { loadPyodide } = await import(pathToFileURL(`${places.pyodide}/pyodide.mjs`).href);
const { info } = JSON.parse(readFileSync(`${places.pyodide}/pyodide-lock.json`, "utf8"));

const pyodide = await loadPyodide({
  indexURL: places.pyodide,
  stdLibURL: places.stdlib,
  // No package comes from anywhere but the mounted directory.
  lockFileContents: { info, packages: {} },
  env: {
    HOME: "/home/pyodide",
    COLUMNS: String(process.stdout.columns ?? 120),
    PYDANTIC_DISABLE_PLUGINS: "__all__",
    HYPOTHESIS_STORAGE_DIRECTORY: "/tmp/hypothesis",
    ...(process.env.CI ? { CI: process.env.CI } : {}),
  },
});
for (const [name, descriptor] of [["setStdout", 1], ["setStderr", 2]]) {
  pyodide[name]({ write: (bytes) => writeAll(descriptor, bytes), isatty: process.stdout.isTTY ?? false });
}
mount(REPOSITORY, root);
mount("/packages", places.site);
mount("/bytecode", places.bytecode);

const arguments_ = chosen.length ? chosen : DEFAULT_PATHS.filter((path) => existsSync(resolve(root, path)));
pyodide.globals.set("ARGUMENTS", pyodide.toPy(arguments_));
process.exitCode = pyodide.runPython(`
import os
import sys

os.chdir("${REPOSITORY}")
sys.path[:0] = ["${REPOSITORY}", "/packages"]
# Byte code of everything is kept outside the mounted tree, which stays as it is.
sys.pycache_prefix = "/bytecode"

import pytest

# Emscripten has one process and no signals: capturing by file descriptor and faulthandler do not work there.
int(pytest.main(["--capture=sys", "-p", "no:faulthandler", *ARGUMENTS]))
`);

/** Lets the build unpack the packages (it does nothing when they are there) and tell where they are. */
function prepare() {
  const own = [resolve(root, ".venv/bin/python"), resolve(root, ".venv/Scripts/python.exe")].find(existsSync);
  const done = spawnSync(own ?? "python3", [resolve(root, "web/test_packages.py")], { encoding: "utf8" });
  if (done.status !== 0) {
    console.error(done.stderr?.trim() || `Python could not be started: ${done.error?.message}`);
    process.exit(2);
  }
  return JSON.parse(done.stdout);
}

function mount(at, host) {
  pyodide.FS.mkdirTree(at);
  pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: host }, at);
}

/** Standard output may be a full pipe, which takes a part at a time. */
function writeAll(descriptor, bytes) {
  let start = 0;
  while (start < bytes.length) {
    try {
      start += writeSync(descriptor, bytes, start);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
  return bytes.length;
}
