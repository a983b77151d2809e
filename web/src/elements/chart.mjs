// <pen-chart does shows>: what the bars of a chart are made of, and a range of them.
//
// Around a `.plot` with the drawing (role `slider`, so that a screen reader hands the arrow keys over and says the bar) and the table
// behind it. The table is the only source: one row per bar, its first cell a `<pen-span from to>`, the others the values under the words
// of the head. The element draws nothing while nobody points at it; an unchanged chart is not touched.
//
//   pointer    over a bar: its numbers; a press or a drag: that bar or range is chosen. A finger's tap shows the numbers only.
//   keyboard   Left, Right, Home, End: the bar; with Shift the range grows; Enter or Space chooses it; Escape lets go.
//
// It emits `choose` {after, before} in ISO UTC. A range ends now at the latest, so that it stands still (RT-4).
// `does` says in the hint what a choice does; without it nothing can be chosen. `shows` is the panel that shows it, if it is on this page.

import { iso, now } from "./clock.mjs";

const EDGE_PX = 4;

export class PenChart extends HTMLElement {
  #abort = null;
  #plot = null;
  /** The first and the last bar of the range, in the order in which they were pointed at; null while none is. */
  #from = null;
  #to = null;
  #pressed = false;
  #watch = new MutationObserver(() => this.#show());

  connectedCallback() {
    this.#abort = new AbortController();
    this.#plot = this.querySelector(".plot");
    const on = (type, listener) => this.#plot.addEventListener(type, listener, { signal: this.#abort.signal });
    on("pointermove", (event) => this.#move(event));
    on("pointerdown", (event) => this.#down(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", () => this.#leave());
    on("pointerleave", () => !this.#pressed && document.activeElement !== this.#plot && this.#leave());
    on("keydown", (event) => this.#key(event));
    on("focus", () => this.#plot.matches(":focus-visible") && this.#to === null && this.#point(this.#rows.length - 1, false));
    on("blur", () => this.#leave());
  }

  disconnectedCallback() {
    this.#abort?.abort();
    this.#watch.disconnect();
    this.#from = this.#to = null;
    this.#pressed = false;
  }

  get #rows() {
    return this.querySelector("tbody").rows;
  }

  /** The share of the width that the bars take. */
  get #share() {
    return Number(this.querySelector(".chart").dataset.plot) / 100;
  }

  #at(event) {
    const { left, width } = this.#plot.getBoundingClientRect();
    const count = this.#rows.length;
    const bar = Math.floor(((event.clientX - left) / (width * this.#share)) * count);
    return Math.min(count - 1, Math.max(0, bar));
  }

  #move(event) {
    if (this.#rows.length > 0) this.#point(this.#at(event), this.#pressed);
  }

  #down(event) {
    if (event.button !== 0 || this.#rows.length === 0) return;
    // Text is not selected by dragging over a drawing.
    if (event.pointerType === "mouse") event.preventDefault();
    this.#plot.setPointerCapture?.(event.pointerId);
    this.#pressed = true;
    this.#point(this.#at(event), false);
  }

  #up(event) {
    if (!this.#pressed) return;
    this.#pressed = false;
    const tapped = event.pointerType === "touch" && this.#from === this.#to;
    if (!tapped) this.#choose();
  }

  #key(event) {
    const last = this.#rows.length - 1;
    if (last < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const here = this.#to ?? last + 1;
    const to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last }[event.key];
    if (to !== undefined) this.#point(Math.min(last, Math.max(0, to)), event.shiftKey && this.#to !== null);
    else if ((event.key === "Enter" || event.key === " ") && this.#to !== null) this.#choose();
    else if (event.key === "Escape" && this.#to !== null) this.#leave();
    else return;
    event.preventDefault();
  }

  /** Point at a bar; `further` keeps the other end of the range. */
  #point(bar, further) {
    const from = further ? this.#from ?? bar : bar;
    if (from === this.#from && bar === this.#to) return;
    if (this.#to === null) this.#watch.observe(this.querySelector("table"), { subtree: true, childList: true, characterData: true });
    this.#from = from;
    this.#to = bar;
    this.#show();
  }

  #leave() {
    this.#watch.disconnect();
    this.#watch.takeRecords();
    this.#from = this.#to = null;
    this.#pressed = false;
    this.#plot.querySelector(".tip").hidden = true;
    this.#plot.querySelector(".pick").setAttribute("width", "0");
    this.#plot.setAttribute("aria-valuenow", "0");
    this.#plot.setAttribute("aria-valuetext", "No bar");
  }

  get #range() {
    const rows = [...this.#rows].slice(Math.min(this.#from, this.#to), Math.max(this.#from, this.#to) + 1);
    const spans = rows.map((row) => row.querySelector("pen-span"));
    return { rows, start: spans[0]?.getAttribute("from"), end: spans.at(-1)?.getAttribute("to") };
  }

  #show() {
    const count = this.#rows.length;
    if (count === 0) return this.#leave();
    this.#from = Math.min(this.#from, count - 1);
    this.#to = Math.min(this.#to, count - 1);
    const { rows, start, end } = this.#range;
    const heads = [...this.querySelectorAll("thead th")].slice(1);
    const when = document.createElement("pen-span");
    when.setAttribute("from", start);
    when.setAttribute("to", end);
    const lines = heads.map((head, index) => {
      const digits = rows.length === 1 ? rows[0].cells[index + 1].textContent : "";
      return { word: head.textContent, fill: head.dataset.fill, digits };
    });
    const tip = this.#plot.querySelector(".tip");
    const hint = document.createElement("p");
    hint.className = "hint";
    hint.textContent = this.#hint(rows.length);
    tip.replaceChildren(when, ...(rows.length === 1 ? lines.map(line).reverse() : []), ...(hint.textContent ? [hint] : []));
    tip.hidden = false;
    this.#place(tip, count, rows.length);
    this.#plot.setAttribute("aria-valuenow", String(this.#to + 1));
    const said = lines.filter(({ digits }) => digits).map(({ word, digits }) => `${digits} ${word}`);
    this.#plot.setAttribute("aria-valuetext", [when.textContent, ...said, hint.textContent].filter(Boolean).join(", "));
  }

  #hint(bars) {
    const does = this.getAttribute("does");
    if (!does) return "";
    const how = this.matches(":focus-within") && this.#plot.matches(":focus-visible") ? "Enter" : bars > 1 ? "Letting go" : "A click";
    return `${how} ${does}`;
  }

  #place(tip, count, bars) {
    const step = (this.#share * 100) / count;
    const first = Math.min(this.#from, this.#to);
    const pick = this.#plot.querySelector(".pick");
    pick.setAttribute("x", `${first * step}%`);
    pick.setAttribute("width", `${bars * step}%`);
    const width = this.#plot.getBoundingClientRect().width;
    const middle = ((first + bars / 2) * step * width) / 100;
    const left = Math.max(EDGE_PX, Math.min(width - tip.offsetWidth - EDGE_PX, middle - tip.offsetWidth / 2));
    tip.style.setProperty("--tip-left", `${left}px`);
  }

  #choose() {
    const { start, end } = this.#range;
    if (!this.hasAttribute("does") || !start) return;
    const after = Date.parse(start);
    const before = Math.min(Date.parse(end), now(true));
    this.#leave();
    if (before <= after) return;
    this.dispatchEvent(new CustomEvent("choose", { detail: { after: iso(after), before: iso(before) } }));
    const shows = this.getAttribute("shows");
    if (shows) document.querySelector(`[data-panel="${CSS.escape(shows)}"]`)?.scrollIntoView({ block: "nearest" });
  }
}

/** One part of a bar, with the colour of its part of the drawing. */
function line({ word, fill, digits }) {
  const row = document.createElement("p");
  const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  box.setAttribute("class", `f-${fill}`);
  box.setAttribute("width", "100%");
  box.setAttribute("height", "100%");
  swatch.append(box);
  const number = document.createElement("b");
  number.textContent = digits;
  row.append(swatch, word, number);
  return row;
}
