// Fetching with an error that names the file, and the count of what has arrived.

/** A file of the site that could not be fetched. `url` is shown to the user. */
export class FileError extends Error {
  constructor(url, reason) {
    super(`${url}: ${reason}`);
    this.name = "FileError";
    this.url = url;
  }
}

/** Fetches `url`; throws FileError for everything but a 2xx answer. */
export async function fetchFile(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    throw new FileError(url, error.message);
  }
  if (!response.ok) throw new FileError(url, `the server answered ${response.status}`);
  return response;
}

/** Adds up the bytes of several files as they arrive and tells `report(loaded, total)`. */
export class Progress {
  #loaded = new Map();
  #report;
  #sizes;

  /** `sizes` is { url: bytes }, bytes as stored on the host. */
  constructor(sizes, report) {
    this.#sizes = sizes;
    this.#report = report;
  }

  #tell() {
    let loaded = 0;
    let total = 0;
    for (const [url, size] of Object.entries(this.#sizes)) {
      total += size;
      loaded += Math.min(size, this.#loaded.get(url) ?? 0);
    }
    this.#report(loaded, total);
  }

  /** `loaded` bytes of `url` are here. */
  reached(url, loaded) {
    if (!(url in this.#sizes)) return;
    this.#loaded.set(url, loaded);
    this.#tell();
  }

  /** A stream like `stream` that counts what passes for `url`. */
  count(url, stream) {
    let seen = 0;
    const transform = (chunk, controller) => {
      seen += chunk.byteLength;
      this.reached(url, seen);
      controller.enqueue(chunk);
    };
    return stream.pipeThrough(new TransformStream({ transform }));
  }

  /** The whole of `url` is here. */
  arrived(url) {
    this.reached(url, this.#sizes[url]);
  }
}
