// <pen-gantt start="ms" end="ms" running>: the time axis of a tree of jobs, and where now is.
//
// Every bar says in ms from the start where it is (`--from`, `--to`); this element says how many ms the width stands for (`--span`),
// how many a line of the grid (`--step`), and while something runs where now is (`--now`): the style sheet works out the rest, so a bar
// grows without anybody drawing it. It owns the children of its `.g-axis`: templates render none into it.
//
// While something runs the axis ends at a line ahead of now and stands still until now is there. Five hundred bars follow one property.

import { everySecond, now } from "./clock.mjs";

/** Below this much time a second is many pixels: then now moves more often. */
const SHORT_MS = 60_000;
const QUICK_MS = 100;
const LABEL_PX = 84;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((n) => n * DAY),
];

/** The time between two lines: the smallest round one of which at most `lines` are in `span` (both above 0). */
export function stepOf(span, lines) {
  return STEPS.find((step) => span / step <= lines) ?? Math.ceil(span / lines / DAY) * DAY;
}

/** `200 ms`, `1.5 s`, `5 min`, `2 h`, `3 d`: a length of time in the unit of its step. */
export function lengthText(ms, step) {
  const [one, unit] = step < 200 ? [1, "ms"] : step < MINUTE ? [SECOND, "s"] : step < HOUR ? [MINUTE, "min"] : step < DAY ? [HOUR, "h"] : [DAY, "d"];
  return `${Number((ms / one).toFixed(3))} ${unit}`;
}

export class PenGantt extends HTMLElement {
  static observedAttributes = ["start", "end", "running"];

  #stop = null;
  #quick = 0;
  #sizes = null;
  #start = 0;
  #end = 0;
  #limit = 0;
  #drawn = "";

  connectedCallback() {
    this.#sizes = new ResizeObserver(() => this.#show());
    this.#sizes.observe(this);
    this.#read();
  }

  disconnectedCallback() {
    this.#sizes.disconnect();
    this.#rest();
  }

  attributeChangedCallback() {
    if (this.#sizes) this.#read();
  }

  #read() {
    const start = Number(this.getAttribute("start"));
    const running = this.hasAttribute("running");
    if (start !== this.#start || !running) this.#limit = 0;
    this.#start = start;
    this.#end = Number(this.getAttribute("end"));
    this.#rest();
    if (running) this.#stop = everySecond(() => this.#beat());
    this.#show();
  }

  #rest() {
    this.#stop?.();
    this.#stop = null;
    this.#quick = clearInterval(this.#quick) ?? 0;
  }

  /** At each second of the page; between them too while a second is far to go, unless motion is not wanted. */
  #beat() {
    this.#show();
    const quick = this.#limit < SHORT_MS && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#quick = clearInterval(this.#quick) ?? 0;
    if (quick) this.#quick = setInterval(() => (document.hidden ? this.#pause() : this.#show()), QUICK_MS);
  }

  #pause() {
    this.#quick = clearInterval(this.#quick) ?? 0;
  }

  #show() {
    const axis = this.querySelector(".g-axis");
    if (!axis) return;
    const running = this.hasAttribute("running");
    const at = Math.max(this.#end, running ? now(true) : 0) - this.#start;
    const lines = Math.max(2, Math.floor((axis.clientWidth || 600) / LABEL_PX));
    let step = stepOf(Math.max(1, this.#limit || at), lines);
    if (!running) this.#limit = Math.max(1, at) * 1.01;
    else if (at > this.#limit) {
      step = stepOf(Math.max(1, at * 1.05), lines);
      this.#limit = Math.ceil((at * 1.05) / step) * step || step;
    }
    const drawn = `${this.#limit} ${step}`;
    if (drawn !== this.#drawn || axis.childElementCount < 2) {
      this.#drawn = drawn;
      this.style.setProperty("--span", String(this.#limit));
      this.style.setProperty("--step", String(step));
      this.#label(axis, step);
    }
    if (running) this.style.setProperty("--now", String(at));
  }

  /** One label per line, but none where it would not fit. The first child says what the column is. */
  #label(axis, step) {
    axis.querySelectorAll(".tick").forEach((label) => label.remove());
    for (let at = 0; at <= this.#limit * 0.96; at += step) {
      const label = document.createElement("span");
      label.className = "tick";
      label.ariaHidden = "true";
      label.textContent = at === 0 ? "0" : lengthText(at, step);
      label.style.left = `${(100 * at) / this.#limit}%`;
      axis.append(label);
    }
  }
}
