// The Python runtime: from the picture of its memory where possible, plainly where not.

import { fetchFile } from "./files.mjs";

/**
 * Starts Pyodide with the packages and the application of boot.json (`about`); resolves to the runtime.
 * `progress` counts bytes, `screen` names steps, `output` is { stdout, stderr }.
 */
export async function startRuntime(about, base, progress, screen, output) {
  const at = (file) => new URL(file, base).href;
  screen.step("download", "Loading Python");
  watchRuntimeFiles(about, base, progress);
  const picture = loadPicture(about.snapshot, progress, screen);
  const app = progress.bytes(about.app);
  app.catch(() => {});
  const { loadPyodide } = await import(at(`${about.runtime}/pyodide.mjs`));
  const options = { indexURL: at(`${about.runtime}/`), packages: about.packages, env: about.env, ...output };
  let pyodide;
  const bytes = await picture;
  if (bytes) {
    try {
      pyodide = await loadPyodide({ ...options, _loadSnapshot: bytes });
      // The picture holds the state of the generator at build time: every page would draw the same numbers.
      pyodide.runPython("import random; random.seed(); del random");
    } catch (error) {
      screen.notice("Python started without its prepared memory, more slowly than usual.");
      console.warn("The memory snapshot does not fit this runtime; starting without it.", error);
      pyodide = undefined;
    }
  }
  pyodide ??= await loadPyodide(options);
  screen.step("unpack", "Loading the console");
  pyodide.unpackArchive(await app, "zip");
  return pyodide;
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
    screen.notice("Python started without its prepared memory, more slowly than usual.");
    console.warn("The memory snapshot did not load; starting without it.", error);
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
function watchRuntimeFiles(about, base, progress) {
  const observer = new PerformanceObserver((list) => {
    for (const { name } of list.getEntries()) {
      if (name.startsWith(base)) progress.arrived(name.slice(base.length));
    }
  });
  observer.observe({ type: "resource", buffered: true });
}
