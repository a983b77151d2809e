// Where the API is: `penstock.json` beside index.html.

/**
 * Reads the site's configuration.
 * Returns { api, text, notice? }: the API's absolute base URL, the file's own text for Python to read the rest of it, and,
 * where the file is missing, a sentence to show.
 * Throws an Error with `advice` when the file is there but unreadable: guessing would show another server's data.
 */
export async function readConfig(base) {
  const url = new URL("penstock.json", base).href;
  const response = await fetch(url, { cache: "no-cache" });
  if (response.status === 404) {
    return { api: base, text: "{}", notice: "penstock.json is missing: using the API of this site's own address." };
  }
  if (!response.ok) throw problem(`The server answered ${response.status} for penstock.json.`);
  const text = await response.text();
  let found;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw problem(`penstock.json is not JSON: ${error.message}.`);
  }
  const { api } = found ?? {};
  if (typeof api !== "string") throw problem('penstock.json must say {"api": "address of the API"}; it has no text "api".');
  try {
    return { api: apiBase(api, base), text };
  } catch {
    throw problem(`penstock.json names an API that is not an address: ${JSON.stringify(api)}.`);
  }
}

/** `api` as an absolute address that ends with a slash; empty means the site's own origin. */
function apiBase(api, base) {
  const url = new URL(api || "/", base);
  if (!/^https?:$/.test(url.protocol)) throw new TypeError(url.protocol);
  return url.href.endsWith("/") ? url.href : `${url.href}/`;
}

function problem(message) {
  return Object.assign(new Error(message), { advice: "Correct penstock.json beside index.html, then reload." });
}
