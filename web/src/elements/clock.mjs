// One beat a second for everything that shows an age, and the words for times.
// Ages use the server's clock (RT-55): `penstockHost.clockOffsetMs` is how far it is ahead of this machine's.

import { LOCALE } from "../marks.mjs";

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

/** Units of an age: up to which value each is used, and how many ms one of it has. */
const UNITS = [
  { below: 60, unit: "s", ms: SECOND_MS },
  { below: 100, unit: "min", ms: 60_000 },
  { below: 48, unit: "h", ms: 3_600_000 },
  { below: Infinity, unit: "d", ms: DAY_MS },
];

const listeners = new Set();
let timer = 0;

/** What the last beat reckoned with: another offset, or a clock that was set, and every age is another one. */
let known = NaN;

function beat() {
  const at = performance.now();
  const reckoned = Math.round((now(true) - at) / SECOND_MS);
  for (const listener of listeners) listener(reckoned === known ? at : Infinity);
  known = reckoned;
}

/** At the page's whole seconds: the program's own tick is then too, and both are one frame. */
function next() {
  timer = setTimeout(() => {
    next();
    beat();
  }, SECOND_MS - (performance.now() % SECOND_MS));
}

/** Run the timer while somebody listens and somebody can see it. */
function reconcile() {
  const wanted = listeners.size > 0 && !document.hidden;
  if (wanted && !timer) next();
  if (!wanted && timer) timer = clearTimeout(timer) ?? 0;
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) beat();
  reconcile();
});

/**
 * Call `listener` every second while the page is visible; the answer stops it.
 *
 * @param {(at: number) => void} listener is given the page's time in ms; Infinity if everything has to be reckoned anew
 */
export function everySecond(listener) {
  listeners.add(listener);
  reconcile();
  return () => {
    listeners.delete(listener);
    reconcile();
  };
}

/** Moments that move by themselves, by name: `<pen-age of="name">` shows them, and nobody has to draw it anew. */
let moments = {};

/** @param {string} json wall times of this machine in ms, by name */
export function setMoments(json) {
  moments = JSON.parse(json);
}

/** The later of a moment written down and of one that moves; NaN where there is neither. */
export function latest(at, name) {
  const moving = name === null ? undefined : moments[name];
  return moving === undefined || at > moving ? at : moving;
}

/** Milliseconds since 1970 by this machine, or by the server. */
export function now(server) {
  return Date.now() + (server ? globalThis.penstockHost?.clockOffsetMs ?? 0 : 0);
}

/** ISO UTC without fractions: the form in which the URL holds a bound. */
export function iso(ms) {
  return `${new Date(Math.floor(ms / 1_000) * 1_000).toISOString().slice(0, 19)}Z`;
}

/** A moment written as ISO text or as milliseconds; NaN where it is neither. */
export function moment(text) {
  if (!text) return NaN;
  const number = Number(text);
  return Number.isNaN(number) ? Date.parse(text) : number;
}

/**
 * How long ago in one whole unit, and in how many ms that is another one: `{ value: "2", unit: "min", left: 31000 }`.
 *
 * @param {number} ms since the moment
 * @param {boolean} until say how long it is till then: `ms` is negative
 */
export function age(ms, until = false) {
  const length = until ? -ms : ms;
  for (const { below, unit, ms: one } of UNITS) {
    const value = Math.max(0, Math.floor(length / one));
    if (value >= below) continue;
    const over = ((length % one) + one) % one;
    return { value: String(value), unit, left: until ? over : one - over };
  }
  return { value: "", unit: "", left: Infinity };
}

// The viewer's locale and zone. Only the clock has 24 hours in every locale: it stands in slots of fixed width, and in logs beside it.
const DATE = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const TIME = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const MINUTE = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const FULL = new Intl.DateTimeFormat(LOCALE, {
  weekday: "short", day: "2-digit", month: "short", year: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short",
});
const DAY = { weekday: "short", day: "numeric", month: "short" };
const HOURS = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const formats = new Map();

/** A formatter of the viewer's locale, made once: making one costs a hundred times what using it does. */
function formatter(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(LOCALE, options));
  return formats.get(key);
}

/** `07:13:02`, and the day before it where it is not today; `brief`: `07:13` at a whole minute. */
export function shortTime(ms, brief = false) {
  const today = new Date().toDateString() === new Date(ms).toDateString();
  const time = (brief && ms % 60_000 === 0 ? MINUTE : TIME).format(ms);
  return today ? time : `${DATE.format(ms)} ${time}`;
}

/**
 * A range of time: `Fri, 20 Nov, 07:00 – 08:00`, or the day where it is one.
 *
 * @param {boolean} brief without the weekday, and without a date where both ends are today's
 */
export function span(from, to, brief = false) {
  const { weekday, ...day } = DAY;
  const date = brief ? day : DAY;
  const start = new Date(from);
  if (to - from > 20 * 3_600_000 && to - from < 28 * 3_600_000 && start.getHours() === 0) {
    return formatter(date).format(from);
  }
  const today = new Date().toDateString();
  const timeOnly = brief && start.toDateString() === today && new Date(to).toDateString() === today;
  const seconds = from % 60_000 || to % 60_000 ? { second: "2-digit" } : {};
  return formatter({ ...(timeOnly ? {} : date), ...HOURS, ...seconds }).formatRange(from, to);
}

/** `Fri, 20 Nov 2026, 07:13:39 UTC` in the viewer's words: for a `title`. */
export function fullTime(ms) {
  return FULL.format(ms);
}

/** The viewer's zone: `Europe/Berlin (GMT+1)`. */
export function zone(ms) {
  const short = new Intl.DateTimeFormat(LOCALE, { timeZoneName: "shortOffset" })
    .formatToParts(ms)
    .find((part) => part.type === "timeZoneName")?.value;
  const name = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return short && short !== name ? `${name} (${short})` : name;
}
