// The truth invariant (RT-84), sampled every second in every page of every end-to-end test.
//
// Whatever says "live" must hold what the server says, once the page has reached the place that the server's answer speaks of. A sample
// asks the server for a live query's data and its position P, then waits until the cached data's position is at or past P: from then on
// every row of the answer must be in the cached list in the same or a later state, unless newer rows have pushed it out. A query that
// does not get there within the allowance while saying live all the time has lied, and so has a panel that says live while none of its
// queries is. What the page has no time for because it does not run at all (its machine is busy, or a test stalls it) is no lie: no code
// could change its mark meanwhile. Such time is added to the allowance, up to a bound.
(() => {
  const ALLOWED_MS = 2_500; // a beat, a request under load, and the profile's event-refetch interval
  const PAINTED_MS = 1_000; // some beats of a busy page
  const LOOK_MS = 50;
  const STOOD_MS = 200; // later than this between two looks: the page stood still
  const EXCUSED_MS = 10_000;
  const RANK = { pending: 0, queued: 0, active: 1, retrying: 2, complete: 3, failed: 3, cancelled: 3 };
  const truth = (globalThis.__truth = { samples: 0, checked: 0, violations: [] });
  const PATHS = { jobs: "jobs", requests: "apis/events", workers: "workers" };
  const ROWS = { jobs: "jobs", requests: "events", workers: "workers" };
  let busy = false;

  const sequence = (position) => {
    const at = position.lastIndexOf(":");
    return [position.slice(0, at), Number(position.slice(at + 1))];
  };
  const states = () => JSON.parse(penstock.diagnostics()).cache?.queries ?? [];
  const live = (query) => query && query.state === "live" && query.observers > 0;

  async function sample() {
    if (busy || document.visibilityState === "hidden" || !globalThis.penstockHost?.config || !globalThis.penstock?.query) return;
    busy = true;
    try {
      truth.samples += 1;
      const queries = states();
      for (const panel of document.querySelectorAll('[data-panel][data-freshness="live"]')) await panelIsLive(panel.dataset.panel);
      for (const query of queries) if (live(query)) await check(query.key);
    } catch (error) {
      if (!/Failed to fetch|NetworkError|unloading|aborted/i.test(String(error))) truth.violations.push(`sampler: ${error}`);
    } finally {
      busy = false;
    }
  }

  /** Until when something must be so, for loops that look every LOOK_MS. */
  function allowance(ms) {
    let deadline = performance.now() + ms;
    let excused = 0;
    return {
      over: () => performance.now() > deadline,
      stood: () => Math.round(excused),
      async look() {
        const before = performance.now();
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        const stood = performance.now() - before - LOOK_MS;
        if (stood < STOOD_MS || excused + stood > EXCUSED_MS) return;
        excused += stood;
        deadline += stood;
      },
    };
  }

  /** One alternative is the same as the value itself (RT-1), and a key may be spelled either way. */
  const folded = (key) => key.replace(/\[("[^"]*")\]/g, "$1");

  /** A panel that says live reads at least one live query; what changed since it was painted shows by the next beats. */
  async function panelIsLive(name) {
    const allowed = allowance(PAINTED_MS);
    for (;;) {
      const said = document.querySelector(`[data-panel="${name}"]`)?.dataset.freshness;
      const { page, cache } = JSON.parse(penstock.diagnostics());
      const keys = (page.panels[name] ?? []).map(folded);
      if (said !== "live" || cache.queries.some((query) => keys.includes(folded(query.key)) && query.state === "live")) return;
      if (allowed.over()) {
        truth.violations.push(`panel ${name} says live and none of ${keys} is`);
        return;
      }
      await allowed.look();
    }
  }

  async function check(text) {
    const [family, mode, parameters] = JSON.parse(text);
    if (mode !== "live" || !PATHS[family]) return;
    const url = new URL(`${penstockHost.config.api}api/v1/${PATHS[family]}`);
    for (const [name, value] of Object.entries(parameters)) for (const one of [value].flat()) url.searchParams.append(name, one);
    if (family !== "workers") url.searchParams.set("limit", "50");
    const response = await fetch(url, { cache: "no-store", headers: { "X-Penstock-Client": "truth" } });
    if (!response.ok) return;
    const place = response.headers.get("x-penstock-position");
    if (!place) return;
    const [epoch, reached] = sequence(place);
    const answer = (await response.json())[ROWS[family]];
    const allowed = allowance(ALLOWED_MS);
    let problem = "";
    while (!allowed.over()) {
      const now = states().find((query) => query.key === text);
      if (!live(now)) return; // it stopped saying so: nothing was promised
      const [mine, at] = sequence(now.position);
      const data = JSON.parse(penstock.query(text) ?? "null");
      if (mine !== epoch) problem = `is at ${now.position}, the server at ${place}`;
      else if (at < reached) problem = `is at ${now.position}, the server was at ${place}`;
      else problem = differs(family, answer, data.rows);
      if (!problem) {
        truth.checked += 1;
        return;
      }
      await allowed.look();
    }
    truth.violations.push(`${text} says live and ${problem}${allowed.stood() ? ` (the page stood still for ${allowed.stood()} ms)` : ""}`);
  }

  function differs(family, answer, rows) {
    if (family === "workers") {
      const ids = (list) => list.flatMap((worker) => worker.instances.map((instance) => instance.id)).sort().join();
      return ids(answer) === ids(rows) ? "" : `has workers ${ids(rows)}, the server ${ids(answer)}`;
    }
    const mine = new Map(rows.map((row) => [row.id, row]));
    const known = new Set(answer.map((row) => row.id));
    let newer = rows.filter((row) => !known.has(row.id)).length;
    for (const row of [...answer].reverse()) {
      const held = mine.get(row.id);
      if (!held) {
        // Pushed out by a newer one, or by now of another state than the list's filter wants.
        newer -= 1;
        if (newer < 0 && !(family === "jobs" && answer.length < 50)) return `misses ${row.id}`;
      } else if (family === "jobs") {
        const before = [row.attempts, RANK[row.status]];
        const after = [held.attempts, RANK[held.status]];
        if (after[0] < before[0] || (after[0] === before[0] && after[1] < before[1])) {
          return `shows ${row.id} ${held.status} of attempt ${held.attempts}, the server said ${row.status} of ${row.attempts}`;
        }
      }
    }
    return "";
  }

  setInterval(sample, 1_000);
})();
