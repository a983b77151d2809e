// The first answers, asked for while Python starts. Which ones a route needs comes from boot.json, which the build
// generates from pyapp/inventory: no table of routes is kept here.

const KEPT = { position: "X-Penstock-Position", etag: "ETag", date: "Date", type: "Content-Type" };

/**
 * The requests of `route` (the hash without `#`), as paths below the API's base.
 * `requests` maps a route pattern ("/jobs/{job_id}") to paths that may use its names.
 */
export function requestsFor(requests, route) {
  const parts = split(route);
  for (const [pattern, paths] of Object.entries(requests)) {
    const names = match(split(pattern), parts);
    if (names) return paths.map((path) => path.replace(/\{(\w+)\}/g, (_, name) => names[name] ?? ""));
  }
  return [];
}

const split = (route) => route.split("?")[0].split("/").filter(Boolean);

/** The named parts of `parts` (kept as they are encoded) when the pattern fits, else null. */
function match(pattern, parts) {
  if (pattern.length !== parts.length) return null;
  const names = {};
  for (const [index, part] of pattern.entries()) {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name) names[name] = parts[index];
    else if (part !== parts[index]) return null;
  }
  return names;
}

/**
 * Asks for every URL at once. `prefetched` gets the answers as they arrive, `pending` has a promise for each (of the
 * answer, or of null when there was none: Python then asks by itself and sees the error there). `others(url)` is a promise
 * of an answer of another tab, which goes before a request, or null where no tab has one.
 */
export function prefetch(urls, prefetched, pending, others = () => null) {
  for (const url of urls) {
    const given = others(url);
    const asked = (given ? given.then((answer) => answer ?? request(url)) : request(url))
      .then((answer) => {
        prefetched.set(url, answer);
        return answer;
      })
      .catch(() => null)
      .finally(() => pending.delete(url));
    pending.set(url, asked);
  }
}

async function request(url) {
  const began = performance.now();
  const response = await fetch(url, { headers: { Accept: "application/json", "X-Penstock-Client": "boot" } });
  const headers = {};
  for (const [name, header] of Object.entries(KEPT)) headers[name] = response.headers.get(header);
  return { status: response.status, headers, text: await response.text(), began };
}
