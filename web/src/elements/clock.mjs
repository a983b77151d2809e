// One beat a second for everything that shows an age, and the words for times.
// Ages use the server's clock (RT-55): `penstockHost.clockOffsetMs` is how far it is ahead of this machine's.

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

// en-GB whatever the browser's language, because the console's words are English; the zone is the viewer's.
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const FULL = new Intl.DateTimeFormat("en-GB", {
  weekday: "short", day: "2-digit", month: "short", year: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short",
});

/** `07:13:02`, and the day before it where it is not today; `brief`: `07:13` at a whole minute. */
export function shortTime(ms, brief = false) {
  const today = new Date().toDateString() === new Date(ms).toDateString();
  const time = brief && ms % 60_000 === 0 ? TIME.format(ms).slice(0, 5) : TIME.format(ms);
  return today ? time : `${DATE.format(ms)} ${time}`;
}

/** `Fri, 20 Nov 2026, 07:13:39 UTC`: for a `title`. */
export function fullTime(ms) {
  return FULL.format(ms);
}

/** The viewer's zone: `Europe/Berlin (GMT+1)`. */
export function zone(ms) {
  const short = new Intl.DateTimeFormat("en-GB", { timeZoneName: "shortOffset" })
    .formatToParts(ms)
    .find((part) => part.type === "timeZoneName")?.value;
  const name = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return short && short !== name ? `${name} (${short})` : name;
}
