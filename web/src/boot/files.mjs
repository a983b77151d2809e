// Fetching with byte counts, and an error that names the file.

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

  /** The whole of `url` is here (also for files that somebody else fetched). */
  arrived(url) {
    this.#loaded.set(url, this.#sizes[url] ?? 0);
    this.#tell();
  }

  /** A stream like `stream` that counts what passes for `url`. */
  count(url, stream) {
    let seen = 0;
    return stream.pipeThrough(
      new TransformStream({
        transform: (chunk, controller) => {
          seen += chunk.byteLength;
          this.#loaded.set(url, seen);
          this.#tell();
          controller.enqueue(chunk);
        },
        flush: () => this.arrived(url),
      }),
    );
  }

  /** The content of `url` as bytes, counted. */
  async bytes(url) {
    const response = await fetchFile(url);
    return new Uint8Array(await new Response(this.count(url, response.body)).arrayBuffer());
  }
}
