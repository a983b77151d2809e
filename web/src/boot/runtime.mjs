// The Python runtime: from the picture of its memory where possible, plainly where not.

import { FileError, fetchFile } from "./files.mjs";

/**
 * Starts Pyodide with the packages and the application of boot.json (`about`); resolves to the runtime.
 * `progress` counts bytes, `screen` names steps, `output` is { stdout, stderr }. Throws FileError for a missing file.
 */
export async function startRuntime(about, base, progress, screen, output) {
  screen.step("download", "Loading Python");
  watchRuntimeFiles(base, progress);
  const picture = loadPicture(about, base, progress);
  const app = fetchFile(new URL(about.app, base).href).then((response) => response.arrayBuffer());
  app.catch(() => {});
  const folder = new URL(`${about.runtime}/`, base).href;
  const { failed, stop } = watchFetch(folder);
  try {
    const options = { indexURL: folder, packages: about.packages, env: about.env, ...output };
    const pyodide = await Promise.race([startPython(folder, options, picture, screen), failed]);
    screen.step("unpack", "Loading the console");
    pyodide.unpackArchive(await app, "zip");
    return pyodide;
  } finally {
    stop();
  }
}

async function startPython(folder, options, picture, screen) {
  // The second is what Pyodide would import later: asked for here, its absence is an error that names it.
  const modules = ["pyodide.mjs", "pyodide.asm.mjs"].map((file) => importModule(`${folder}${file}`));
  const [{ loadPyodide }] = await Promise.all(modules);
  if (picture) {
    try {
      // A promise: Pyodide compiles its WebAssembly while the picture is still on its way.
      const pyodide = await loadPyodide({ ...options, _loadSnapshot: picture });
      // The picture holds the state of the generator at build time: every page would draw the same numbers.
      pyodide.runPython("import random; random.seed(); del random");
      return pyodide;
    } catch (error) {
      screen.notice("Python started without its prepared memory, more slowly than usual.");
      console.warn("The picture of the memory cannot be used; starting without it.", error);
    }
  }
  return loadPyodide(options);
}

async function importModule(url) {
  try {
    return await import(url);
  } catch (error) {
    throw new FileError(url, error.message);
  }
}

/**
 * Rejects `failed` when a file below `folder` cannot be fetched: Pyodide waits for ever for its own WebAssembly then,
 * and starts without a package that is missing. `stop` puts the browser's `fetch` back.
 */
function watchFetch(folder) {
  const { fetch } = globalThis;
  let reject;
  const failed = new Promise((_, no) => (reject = no));
  failed.catch(() => {});
  globalThis.fetch = async (resource, options) => {
    const url = String(resource?.url ?? resource);
    try {
      const response = await fetch(resource, options);
      if (!response.ok && url.startsWith(folder)) reject(new FileError(url, `the server answered ${response.status}`));
      return response;
    } catch (error) {
      if (url.startsWith(folder)) reject(new FileError(url, error.message));
      throw error;
    }
  };
  return { failed, stop: () => (globalThis.fetch = fetch) };
}

/**
 * A promise of the unpacked picture of the memory; null where there is none or this browser cannot unpack it.
 * A worker would not make the start faster: on two cores it waits for the same ones (measured).
 */
function loadPicture({ snapshot }, base, progress) {
  if (!snapshot || typeof DecompressionStream === "undefined") return null;
  const picture = fetchFile(new URL(snapshot.url, base).href).then(async ({ body }) => {
    const unpacked = progress.count(snapshot.url, body).pipeThrough(new DecompressionStream("gzip"));
    const bytes = new Uint8Array(await new Response(unpacked).arrayBuffer());
    if (bytes.length !== snapshot.bytes) throw new Error(`${bytes.length} bytes instead of ${snapshot.bytes}`);
    return bytes;
  });
  // Pyodide looks at it only later.
  picture.catch(() => {});
  return picture;
}

/** Pyodide fetches its own files; what arrived is read from the browser's list of resources. */
function watchRuntimeFiles(base, progress) {
  const observer = new PerformanceObserver((list) => {
    for (const { name } of list.getEntries()) {
      if (name.startsWith(base)) progress.arrived(name.slice(base.length));
    }
  });
  observer.observe({ type: "resource", buffered: true });
}
