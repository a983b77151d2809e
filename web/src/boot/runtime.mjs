// The Python runtime: from the picture of its memory where possible, plainly where not.

import { FileError, fetchFile } from "./files.mjs";

/**
 * Starts Pyodide with the packages and the application of boot.json (`about`); resolves to the runtime.
 * `progress` counts bytes, `screen` names steps, `output` is { stdout, stderr }. Throws FileError for a missing file.
 */
export async function startRuntime(about, base, progress, screen, output) {
  screen.step("download", "Loading Python");
  watchRuntimeFiles(base, progress);
  const picture = loadPicture(about.snapshot, progress, screen);
  const app = progress.bytes(about.app);
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
  const { loadPyodide } = await importModule(`${folder}pyodide.mjs`);
  const bytes = await picture;
  if (bytes) {
    try {
      const pyodide = await loadPyodide({ ...options, _loadSnapshot: bytes });
      // The picture holds the state of the generator at build time: every page would draw the same numbers.
      pyodide.runPython("import random; random.seed(); del random");
      return pyodide;
    } catch (error) {
      withoutPicture(screen, error);
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

function withoutPicture(screen, error) {
  screen.notice("Python started without its prepared memory, more slowly than usual.");
  console.warn("The memory snapshot cannot be used; starting without it.", error);
}

/** The picture of the memory, unpacked; null where there is none or this browser cannot unpack it. */
async function loadPicture(file, progress, screen) {
  if (!file || typeof DecompressionStream === "undefined") return null;
  try {
    const response = await fetchFile(file.url);
    const stream = progress.count(file.url, response.body).pipeThrough(new DecompressionStream("gzip"));
    const bytes = new Uint8Array(file.bytes);
    let end = 0;
    for await (const chunk of chunks(stream)) {
      bytes.set(chunk, end);
      end += chunk.byteLength;
    }
    if (end !== file.bytes) throw new Error(`${end} bytes instead of ${file.bytes}`);
    return bytes;
  } catch (error) {
    withoutPicture(screen, error);
    return null;
  }
}

async function* chunks(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
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
