// Answers of other tabs in place of requests, while Python starts (RT-62). Which tab holds which, the tabs write down in
// localStorage (pyapp/core/tabs/shared.py): what nobody wrote down is waited for by nobody.

const WAIT_MS = 150;
const ROOT = "api/v1/";

/** Whose tabs are one: as `Host.group` in pyapp/browser/host.py names it for a guest; nobody is signed in before Python runs. */
export function groupOf(api, version) {
  return `penstock:guest:${version}:${api}${ROOT}`;
}

/**
 * What asks the other tabs of a group. It is called with an absolute URL, and gives a promise of an answer as `prefetch`
 * makes them (`null` where none came in time), or null at once where no tab holds it.
 */
export function otherTabs(group, api) {
  const held = readHeld(`${group}:held:`);
  if (held.size === 0) return () => null;
  const me = `boot-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  const waiting = new Map();
  let channel = null;
  let asked = 0;

  function settle(number, answer) {
    const one = waiting.get(number);
    if (!one) return; // too late
    waiting.delete(number);
    clearTimeout(one.timer);
    one.done(answer);
    if (waiting.size === 0) {
      channel.close();
      channel = null;
    }
  }

  function heard({ data }) {
    if (!Array.isArray(data) || !Array.isArray(data[0]) || !data[0].includes(me)) return;
    try {
      const text = String(data[1]);
      const end = text.indexOf("\n");
      const said = JSON.parse(end < 0 ? text : text.slice(0, end));
      const number = said.to[me];
      const one = waiting.get(number);
      if (!one || said.from !== one.tab) return;
      settle(number, said.share === "give" && said.key === one.key ? answerOf(said, text.slice(end + 1), one.began) : null);
    } catch {
      // No message: the request is made when the wait is over.
    }
  }

  return (url) => {
    const holder = held.get(url.slice(api.length + ROOT.length));
    if (!holder) return null;
    if (!channel) {
      channel = new BroadcastChannel(group);
      channel.onmessage = heard;
    }
    asked += 1;
    const number = asked;
    const { tab, key } = holder;
    return new Promise((done) => {
      const timer = setTimeout(() => {
        forget(holder.name); // it crashed, or is too busy
        settle(number, null);
      }, WAIT_MS);
      waiting.set(number, { tab, key, began: performance.now(), timer, done });
      channel.postMessage([[tab], JSON.stringify({ share: "ask", from: me, ask: number, key })]);
    });
  };
}

/** As old as at the tab that gave it: ages count from the question. */
function answerOf(said, text, began) {
  const headers = { position: said.position, etag: null, date: null, type: "application/json" };
  const ages = { began: began - said.began, updated: began - said.updated };
  return { status: 200, headers, text, ...ages, shared: true, partial: said.partial === true };
}

/** Paths with who holds them: `{name, tab, key}`. */
function readHeld(prefix) {
  const held = new Map();
  try {
    if (typeof BroadcastChannel !== "function") return held;
    for (const name of Object.keys(localStorage).filter((one) => one.startsWith(prefix))) {
      const tab = name.slice(prefix.length);
      for (const [path, key] of Object.entries(JSON.parse(read(name)))) held.set(path, { name, tab, key });
    }
  } catch {
    // No storage, or not what our tabs write: the server is asked.
  }
  return held;
}

function read(name) {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

function forget(name) {
  try {
    localStorage.removeItem(name);
  } catch {
    // Storage is switched off.
  }
}
