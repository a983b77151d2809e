// The browser's side of the core's ports (pyapp/core/ports.py). Only text and numbers cross to Python, through callbacks
// that Python sets once: no proxy is made per request, per timer or per frame.

import { setIcon } from "./icon.mjs";

/**
 * Event sources whose records wait here until Python takes them all with one call (RT-41).
 *
 * A record is `source US kind US id US data`; records are joined by RS. Both separators are control characters, which
 * valid JSON never holds unescaped; in a frame that is not valid they become another control character, so that it stays
 * invalid and its neighbours stay whole.
 */
export class FrameQueue {
  static US = "\x1f";
  static RS = "\x1e";

  #open = new Map();
  #waiting = [];
  #armed = true;
  #wake = () => {};
  #onRecord = () => {};

  onWake(wake) {
    this.#wake = wake;
  }

  /** Who sees each record as it arrives: the channel to the other tabs. */
  onRecord(callback) {
    this.#onRecord = callback;
  }

  /** Takes records of a native EventSource under the number `source`. */
  attach(source, stream) {
    this.#open.set(source, stream);
    const push = (kind, event) => this.#push(source, kind, event);
    stream.onmessage = (event) => push("message", event);
    // A frame that the server named `open` or `error` reaches these listeners too; only such a frame has data (RT-24).
    stream.onopen = (event) => push(event.data === undefined ? "opened" : "named-open", event);
    stream.onerror = (event) => {
      if (event.data === undefined) this.#put(source, "failed", "", String(stream.readyState));
      else push("named-error", event);
    };
    for (const kind of ["hello", "heartbeat", "reset", "bye"]) stream.addEventListener(kind, (event) => push(kind, event));
  }

  /** Closes it; its waiting records stay, and Python knows them for strays. */
  close(source) {
    const stream = this.#open.get(source);
    if (!stream) return;
    this.#open.delete(source);
    stream.onmessage = stream.onopen = stream.onerror = null;
    stream.close();
  }

  /** All waiting records, in order; from now on the next record wakes Python again. */
  drain() {
    const text = this.#waiting.join(FrameQueue.RS);
    this.#waiting = [];
    this.#armed = true;
    return text;
  }

  #push(source, kind, event) {
    this.#put(source, kind, event.lastEventId ?? "", event.data ?? "");
  }

  #put(source, kind, id, data) {
    const { US, RS } = FrameQueue;
    if (data.includes(RS) || data.includes(US)) data = data.replaceAll(RS, "\x01").replaceAll(US, "\x01");
    this.#waiting.push(`${source}${US}${kind}${US}${id}${US}${data}`);
    this.#onRecord(source, kind, id, data);
    if (this.#armed) {
      this.#armed = false;
      this.#wake();
    }
  }
}

const READ_HEADERS = ["content-type", "x-penstock-position", "etag", "date", "retry-after"];

/** The text of the first bytes of a body; a letter that the limit cuts in two is left out. */
async function beginning(response, atMost) {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let left = atMost; reader && left > 0; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value.subarray(0, left), { stream: true });
    left -= value.length;
  }
  await reader?.cancel();
  return text;
}

/** Plain requests: `send` starts one under a number, `onAnswer(id, status, headersJson, text)` ends it. */
export class RequestPort {
  #under = new Map();
  #onAnswer = () => {};

  onAnswer(callback) {
    this.#onAnswer = callback;
  }

  /**
   * With `headOnly` the answer is told at its headers and its body is never read: a stream has no end to wait for (RT-25).
   * With `atMost` (not negative) so many bytes of it are read, and the rest is never received.
   */
  send(id, method, url, headersJson, body, headOnly, atMost) {
    const abort = new AbortController();
    this.#under.set(id, abort);
    // Never from the browser's HTTP cache: what an answer may be kept for, the query cache decides.
    fetch(url, { method, headers: JSON.parse(headersJson), body, signal: abort.signal, cache: "no-store" })
      .then(async (response) => {
        const text = headOnly ? "" : atMost >= 0 ? await beginning(response, atMost) : await response.text();
        const headers = {};
        for (const name of READ_HEADERS) {
          const value = response.headers.get(name);
          if (value !== null) headers[name] = value;
        }
        return [response.status, JSON.stringify(headers), text];
      })
      .catch(() => [0, "{}", "The server could not be reached."])
      // Behind the catch: a mistake of whoever takes the answer is no lost network, and the browser's console says it.
      .then((answer) => {
        this.#answer(id, ...answer);
        if (headOnly) abort.abort();
      });
  }

  cancel(id) {
    this.#under.get(id)?.abort();
    this.#under.delete(id);
  }

  #answer(id, status, headers, text) {
    if (this.#under.delete(id)) this.#onAnswer(id, status, headers, text);
  }
}

/** The one JavaScript timer under the core's heap of timers. */
export class TimerPort {
  #handle = 0;
  #onFire = () => {};

  onFire(callback) {
    this.#onFire = callback;
  }

  arm(delayMs) {
    clearTimeout(this.#handle);
    this.#handle = setTimeout(() => this.#onFire(), delayMs);
  }

  disarm() {
    clearTimeout(this.#handle);
  }
}

/**
 * The page is put away and taken out again (RT-53): `onSuspend` runs before the browser's event returns, so that the page
 * holds nothing when it goes into the back/forward cache. Each way once, whichever of the browser's events come.
 */
export class LifecyclePort {
  #away = false;
  #suspend = () => {};
  #resume = () => {};

  constructor() {
    const suspend = () => {
      if (this.#away) return;
      this.#away = true;
      this.#suspend();
    };
    const resume = () => {
      if (!this.#away) return;
      this.#away = false;
      this.#resume();
    };
    addEventListener("pagehide", suspend);
    addEventListener("pageshow", (event) => event.persisted && resume());
    document.addEventListener("freeze", suspend);
    document.addEventListener("resume", resume);
  }

  onSuspend(callback) {
    this.#suspend = callback;
  }

  onResume(callback) {
    this.#resume = callback;
  }
}

/** The browser's word for the protocol of the API's connections (RT-64), or "" while nothing is known. */
export function protocolOf(api) {
  let known = "";
  return () => {
    if (known) return known;
    for (const entry of performance.getEntriesByType("resource")) {
      if (entry.nextHopProtocol && entry.name.startsWith(api)) known = entry.nextHopProtocol;
    }
    return known;
  };
}

/** How long a file stays readable for the browser that stores it. */
const REVOKE_MS = 10_000;

/** Copies by way of a selection, where the clipboard is not permitted or the page is not secure; whether it worked. */
function copyAsOfOld(text) {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.className = "sr";
  // Behind a modal dialog nothing can be selected.
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    focused?.focus?.({ preventScroll: true });
  }
}

/** What the application asks of the page itself. */
export class PagePort {
  #copied = () => {};

  setTitle(title) {
    if (document.title !== title) document.title = title;
  }

  /** Puts the state into the address without a new entry in the history. */
  replaceHash(hash) {
    if (location.hash !== hash) history.replaceState(history.state, "", hash);
  }

  go(hash) {
    location.hash = hash;
  }

  onRoute(callback) {
    addEventListener("hashchange", () => callback(location.hash));
  }

  hash() {
    return location.hash;
  }

  /** Puts a choice of the settings page on the root; without a value it goes. `first.js` does the same before anything is painted. */
  setChoice(name, value) {
    const { dataset } = document.documentElement;
    if (value) dataset[name] = value;
    else delete dataset[name];
  }

  /** The icon in the browser's tab; see icon.mjs. */
  setIcon(kind) {
    setIcon(kind);
  }

  reload() {
    location.reload();
  }

  onCopied(callback) {
    this.#copied = callback;
  }

  /** Puts text on the clipboard and tells `onCopied` under the same number whether it is there. */
  copy(id, text) {
    const written = navigator.clipboard ? navigator.clipboard.writeText(text) : Promise.reject(new Error("No clipboard."));
    written.then(() => true, () => copyAsOfOld(text)).then((done) => this.#copied(id, done));
  }

  /** Gives the browser a file to keep. */
  download(name, type, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    // The browser reads it after this turn.
    setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_MS);
  }
}

/** A few words that outlive the page, under names of our own; where storage is switched off or full they are forgotten. */
export class StoragePort {
  static PREFIX = "penstock.";

  read(name) {
    try {
      return localStorage.getItem(StoragePort.PREFIX + name) ?? "";
    } catch {
      return "";
    }
  }

  write(name, text) {
    try {
      localStorage.setItem(StoragePort.PREFIX + name, text);
    } catch {
      // What is written holds until the page is closed.
    }
  }

  remove(name) {
    try {
      localStorage.removeItem(StoragePort.PREFIX + name);
    } catch {
      // Nothing was kept.
    }
  }

  /** Forgets all that the console keeps: these words, and what its tabs remember together. */
  clear() {
    try {
      for (const name of Object.keys(localStorage)) if (/^penstock[.:]/.test(name)) localStorage.removeItem(name);
    } catch {
      // Nothing was kept.
    }
  }

  /** `callback` gets the name of what another page wrote or removed. The browser tells only the others. */
  onChange(callback) {
    addEventListener("storage", ({ key }) => key?.startsWith(StoragePort.PREFIX) && callback(key.slice(StoragePort.PREFIX.length)));
  }
}

/** Every port, made once per page. */
export function createPorts(api) {
  return {
    frames: new FrameQueue(),
    requests: new RequestPort(),
    timer: new TimerPort(),
    lifecycle: new LifecyclePort(),
    page: new PagePort(),
    storage: new StoragePort(),
    protocol: protocolOf(api),
  };
}
