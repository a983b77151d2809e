// The browser's side of many tabs (pyapp/core/tabs/ports.py): Web Locks, BroadcastChannel, localStorage. Only text and
// numbers cross to Python, through callbacks that Python sets once.

import { FrameQueue } from "./ports.mjs";

const { US, RS } = FrameQueue;
const MUX = "mux";
const ENVELOPE = '{"stream":"';

/**
 * What all tabs hear of each other. A message is text, for Python, at once; `[[tab, …], text]` is one for these alone. A passed
 * record is `[term, to, label, kind, id, data]`; those of the followed term wait here until Python takes them with one call.
 *
 * While `forward` names a term, every record of this tab's own event sources is passed on as it arrives, without Python:
 * a follower is behind its leader by the channel alone, and not by a beat (RT-60).
 */
export class TabChannel {
  #tab;
  #channel = null;
  #waiting = [];
  #armed = true;
  #wake = () => {};
  #onMessage = () => {};
  #followed = "";
  #forwarded = "";
  #labels = new Map();
  #kept = new Set();

  constructor(tab, frames) {
    this.#tab = tab;
    frames.onRecord((source, kind, id, data) => {
      if (this.#forwarded === "") return;
      // Numbers below 0 are the one connection that carries every stream.
      const label = source < 0 ? MUX : this.#labels.get(source);
      if (label !== undefined) this.#post([this.#forwarded, "", label, kind, id, data]);
    });
  }

  onMessage(callback) {
    this.#onMessage = callback;
  }

  onWake(callback) {
    this.#wake = callback;
  }

  open(name) {
    if (this.#channel) return;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }) => this.#heard(data);
  }

  close() {
    if (!this.#channel) return;
    this.#channel.onmessage = null;
    this.#channel.close();
    this.#channel = null;
    this.#waiting = [];
    this.#armed = true;
  }

  post(text) {
    this.#post(text);
  }

  /** `tabsJson`: the names of those who are to hear it. */
  postTo(tabsJson, text) {
    this.#post([JSON.parse(tabsJson), text]);
  }

  passOn(term, to, label, kind, id, data) {
    this.#post([term, to, label, kind, id, data]);
  }

  follow(term) {
    this.#followed = term;
  }

  /** `labelsJson`: the streams of this tab; records of others are dropped here, so that they do not wake Python. */
  keep(labelsJson) {
    this.#kept = new Set(JSON.parse(labelsJson));
  }

  forward(term) {
    this.#forwarded = term;
  }

  nameSource(source, label) {
    if (label) this.#labels.set(source, label);
    else this.#labels.delete(source);
  }

  /** All waiting records, `label US kind US id US data` joined by RS; from now on the next record wakes Python again. */
  drain() {
    const text = this.#waiting.join(RS);
    this.#waiting = [];
    this.#armed = true;
    return text;
  }

  /** Whether a record is for a stream of this tab. What the connection says of itself, and what is no envelope, Python counts. */
  #concerns([label, kind, , data]) {
    if (label !== MUX) return this.#kept.has(label);
    if (kind !== "message" || !data.startsWith(ENVELOPE)) return true;
    const name = data.slice(ENVELOPE.length, data.indexOf('"', ENVELOPE.length));
    return name.includes("\\") || this.#kept.has(name);
  }

  #post(said) {
    this.#channel?.postMessage(said);
  }

  #heard(said) {
    if (typeof said === "string") {
      this.#onMessage(said);
      return;
    }
    if (!Array.isArray(said)) return;
    if (Array.isArray(said[0])) {
      if (said[0].includes(this.#tab)) this.#onMessage(String(said[1]));
      return;
    }
    const [term, to, ...record] = said;
    if (term !== this.#followed || term === "" || (to !== "" && to !== this.#tab)) return;
    if (!this.#concerns(record)) return;
    this.#waiting.push(record.join(US));
    if (this.#armed) {
      this.#armed = false;
      this.#wake();
    }
  }
}

/** Requests for locks, under numbers: `onGranted(number)`, `onLost(number)` when it was stolen or could not be had. */
export class TabLocks {
  #asked = new Map();
  #onGranted = () => {};
  #onLost = () => {};

  onGranted(callback) {
    this.#onGranted = callback;
  }

  onLost(callback) {
    this.#onLost = callback;
  }

  request(number, name, steal) {
    const abort = new AbortController();
    let release;
    const held = new Promise((resolve) => (release = resolve));
    this.#asked.set(number, { abort, release });
    // The two options exclude each other: a theft is granted at once, there is nothing to abort.
    navigator.locks
      .request(name, steal ? { steal: true } : { signal: abort.signal }, () => {
        if (!this.#asked.has(number)) return undefined; // given up while the word of it was on its way
        this.#onGranted(number);
        return held;
      })
      .catch(() => {
        if (this.#asked.delete(number)) this.#onLost(number);
      });
  }

  release(number) {
    const asked = this.#asked.get(number);
    if (!asked) return;
    this.#asked.delete(number);
    asked.release();
    asked.abort.abort();
  }
}

/** localStorage, where there is one. */
export class TabStorage {
  get(name) {
    try {
      return localStorage.getItem(name) ?? "";
    } catch {
      return "";
    }
  }

  set(name, value) {
    try {
      if (value) localStorage.setItem(name, value);
      else localStorage.removeItem(name);
    } catch {
      // Storage is switched off or full: terms are counted from what is heard.
    }
  }
}

/** Whether this browser and origin have what sharing needs: neither exists on an insecure origin (RT-63). */
export const canLock = () => navigator.locks !== undefined;
export const canBroadcast = () => typeof BroadcastChannel === "function";

/** A name for this tab that no other has. */
export const tabName = () => Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, "0")).join("");
