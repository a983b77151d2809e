// Boots the console: starts every download at once, wakes Python from its picture of the memory, installs packages and
// the application. PyScript imports this module as its interpreter (see pyscript.json) and gets the runtime that is
// already on its way; without PyScript's call it would start just the same.

import { readConfig } from "./config.mjs";
import { FileError, Progress, fetchFile } from "./files.mjs";
import { noteDocumentObservers } from "./observers.mjs";
import { prefetch, requestsFor } from "./prefetch.mjs";
import { startRuntime } from "./runtime.mjs";
import { groupOf, otherTabs } from "./shared.mjs";

export const version = PYODIDE_VERSION;

const screen = globalThis.penstockBoot;
const base = new URL(".", document.baseURI).href;
const prefetched = new Map();
const pending = new Map();
const endDocumentObservers = noteDocumentObservers();

globalThis.penstockHost = {
  config: null,
  /** The runtime, for tests and measurements. */
  python: null,
  prefetched,
  pending,
  notices: screen.notices,
  /** The console is painted: the boot screen goes. */
  booted: () => {
    endDocumentObservers();
    screen.done();
  },
  /** Python could not start the console: `title`, what to do, details. */
  failed: (title, advice, details) => screen.fail(title, advice, details),
};

// Where PyScript wants output; until it says so, the browser's console.
let output = { stdout: (text) => console.log(text), stderr: (text) => console.error(text) };

const runtime = boot();
// PyScript may not be there to take the rejection; the screen already shows it.
runtime.catch(() => {});

/** What PyScript calls: the one runtime of the page. */
export function loadPyodide({ stdout, stderr }) {
  output = { stdout, stderr };
  return runtime;
}

async function boot() {
  // This browser cannot run the console, and the screen says why: PyScript waits for ever.
  if (screen.failed()) await new Promise(() => {});
  try {
    const description = fetchFile(new URL("boot.json", base).href).then((response) => response.json());
    const [{ api, text, notice }, about] = await Promise.all([readConfig(base), description]);
    if (notice) screen.notice(notice);
    globalThis.penstockHost.config = { api, text, base, build: about.build, version: about.version };
    // Across origins only Python knows whether this server takes credentials and our header.
    if (new URL(api).origin === location.origin) {
      const paths = requestsFor(about.requests, location.hash.slice(1));
      const others = otherTabs(groupOf(api, about.version), api);
      prefetch(paths.map((path) => new URL(path, `${api}api/v1/`).href), prefetched, pending, others);
    }
    const progress = new Progress(about.sizes, screen.progress);
    const pyodide = await startRuntime(about, base, progress, screen, {
      stdout: (text) => output.stdout(text),
      stderr: (text) => output.stderr(text),
    });
    reportFailures(pyodide);
    globalThis.penstockHost.python = pyodide;
    screen.step("start", "Starting the console");
    return pyodide;
  } catch (error) {
    explain(error);
    throw error;
  }
}

/** An exception of main.py must reach the screen too; PyScript only writes it to the console. */
function reportFailures(pyodide) {
  const run = pyodide.runPythonAsync;
  pyodide.runPythonAsync = async (...args) => {
    try {
      return await run.apply(pyodide, args);
    } catch (error) {
      screen.fail("The console could not start", exceptionLine(error.message), error.message);
      throw error;
    }
  };
}

/** The line of a Python traceback that names the exception; advice may follow it. */
function exceptionLine(traceback) {
  const lines = traceback.trim().split("\n");
  const named = lines.findLast((line) => /^[\w.]+(Error|Exception|Interrupt|Exit|Warning)\b/.test(line));
  return (named ?? lines.at(-1)).slice(0, 300);
}

function explain(error) {
  if (error.advice) {
    screen.fail("The configuration cannot be read", `${error.message} ${error.advice}`);
  } else if (!navigator.onLine) {
    screen.fail("You are offline", "Penstock is not on this device completely. Connect, then reload.", error);
  } else if (error instanceof FileError) {
    const file = new URL(error.url, base).pathname.split("/").at(-1);
    screen.fail("A file of the console did not load", `${file} is missing. Check the connection, then reload.`, error.message);
  } else {
    screen.fail("Python could not start", "Reload. If it stays, send the details to whoever runs this site.", error.stack ?? error);
  }
}
