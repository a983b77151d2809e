// What only the browser's own Python can do, done at build time under Node: byte code, the list of standard modules
// that a package really imports, and the memory snapshot. `build.py` writes one JSON job list to standard input and
// reads one JSON answer from standard output; everything else goes to standard error.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { pyodideDir, stdlib, env, jobs } = JSON.parse(readFileSync(0, "utf8"));
const { loadPyodide } = await import(pathToFileURL(`${pyodideDir}/pyodide.mjs`).href);

const lockInfo = JSON.parse(readFileSync(`${pyodideDir}/pyodide-lock.json`, "utf8")).info;
const quiet = { stdout: (line) => console.error(line), stderr: (line) => console.error(line) };

/** A fresh interpreter; `options` are Pyodide's. */
function boot(options = {}) {
  // A lock file without packages: nothing may be loaded from anywhere but the paths of a job.
  const lockFileContents = { info: lockInfo, packages: {} };
  // `stdlib` is the compiled standard library, once there is one: it starts in half the time.
  const library = stdlib ? { stdLibURL: stdlib } : {};
  return loadPyodide({ indexURL: pyodideDir, env: { ...env }, lockFileContents, ...quiet, ...library, ...options });
}

/** Runs a Python file of this directory with `settings` as its only input and returns its JSON answer. */
function run(pyodide, file, settings) {
  const globals = pyodide.toPy({ SETTINGS: JSON.stringify(settings) });
  const source = readFileSync(new URL(file, import.meta.url), "utf8");
  pyodide.runPython(source, { globals, filename: file });
  return JSON.parse(globals.get("ANSWER"));
}

const mount = (pyodide, at, host) => {
  pyodide.FS.mkdirTree(at);
  pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: host }, at);
};

const kinds = {
  /** Compiles every `.py` of `source` into `.pyc` files under `out`, the names kept. */
  async compile({ source, out, logical, files }) {
    const pyodide = await shared();
    mkdirSync(out, { recursive: true });
    mount(pyodide, "/job/in", source);
    mount(pyodide, "/job/out", out);
    try {
      return run(pyodide, "compile.py", { logical, files });
    } finally {
      pyodide.FS.unmount("/job/in");
      pyodide.FS.unmount("/job/out");
    }
  },

  /** Imports `imports` from the directory `site` and returns the standard modules that this brought in. */
  async modules({ site, imports }) {
    const pyodide = await boot();
    mount(pyodide, "/job/site", site);
    return run(pyodide, "modules.py", { imports });
  },

  /** Imports `modules` in an empty interpreter and writes its memory to `out`. */
  async snapshot({ modules, out }) {
    const pyodide = await boot({ _makeSnapshot: true });
    const answer = run(pyodide, "warm.py", { modules });
    const bytes = pyodide.makeMemorySnapshot();
    writeFileSync(out, bytes);
    return { ...answer, bytes: bytes.length };
  },
};

let sharedInterpreter;
/** One interpreter serves every compile job. */
function shared() {
  sharedInterpreter ??= boot();
  return sharedInterpreter;
}

const answers = [];
for (const { kind, ...job } of jobs) answers.push(await kinds[kind](job));
process.stdout.write(JSON.stringify(answers));
