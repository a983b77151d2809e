// One beat a second for everything that shows an age, and the words for times.
// Ages use the server's clock (RT-55): `penstockHost.clockOffsetMs` is how far it is ahead of this machine's.

const DAY_MS = 86_400_000;

/** Units of an age: up to which value each is used, and how many ms one of it has. */
const UNITS = [
  { below: 100, unit: "s", ms: 1_000 },
  { below: 100, unit: "min", ms: 60_000 },
  { below: 48, unit: "h", ms: 3_600_000 },
  { below: Infinity, unit: "d", ms: DAY_MS },
];

const listeners = new Set();
let timer = 0;

function beat() {
  for (const listener of listeners) listener();
}

/** Run the timer while somebody listens and somebody can see it. */
function reconcile() {
  const wanted = listeners.size > 0 && !document.hidden;
  if (wanted && !timer) timer = setInterval(beat, 1_000);
  if (!wanted && timer) timer = clearInterval(timer) ?? 0;
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) beat();
  reconcile();
});

/** Call `listener` every second while the page is visible; the answer stops it. */
export function everySecond(listener) {
  listeners.add(listener);
  reconcile();
  return () => {
    listeners.delete(listener);
    reconcile();
  };
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

/** An age in one whole unit: `{ value: "2", unit: "min" }`. */
export function age(ms) {
  for (const { below, unit, ms: one } of UNITS) {
    const value = Math.max(0, Math.floor(ms / one));
    if (value < below) return { value: String(value), unit };
  }
  return { value: "", unit: "" };
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
