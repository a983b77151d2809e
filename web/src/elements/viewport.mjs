// <pen-viewport count>: says which lines of a long list can be seen, so that only these are rendered (RT-4).
//
// All lines are equally high. It emits `range` {start, end} (end excluded), with lines to spare on both sides, and again only
// when what can be seen comes near the end of what it asked for. The list scrolls with the page, or in the `.scroller` around it.

import {
  Virtualizer,
  elementScroll,
  observeElementOffset,
  observeElementRect,
  observeWindowOffset,
  observeWindowRect,
  windowScroll,
} from "@tanstack/virtual-core";

/** Lines rendered beyond what can be seen, on each side; asked for again when fewer than a third of them are left. */
const SPARE = 12;
const NEAR = SPARE / 3;
const LINE_PX = 32;

export class PenViewport extends HTMLElement {
  static observedAttributes = ["count"];

  #virtualizer = null;
  #unmount = null;
  #resize = new ResizeObserver(() => this.#update());
  #asked = { start: 0, end: 0 };

  connectedCallback() {
    this.#virtualizer = new Virtualizer(this.#options());
    this.#unmount = this.#virtualizer._didMount();
    this.#resize.observe(this);
    this.#update();
  }

  disconnectedCallback() {
    this.#resize.disconnect();
    this.#unmount?.();
    this.#virtualizer = null;
    this.#asked = { start: 0, end: 0 };
  }

  attributeChangedCallback() {
    if (!this.#virtualizer) return;
    this.#asked = { start: 0, end: 0 };
    this.#update();
  }

  get #count() {
    return Number(this.getAttribute("count")) || 0;
  }

  /** The height of one line, measured, because density, pointer and width change it. */
  #line() {
    return this.querySelector("tbody > tr:not(.spacer)")?.getBoundingClientRect().height || LINE_PX;
  }

  #options() {
    const scroller = this.closest(".scroller");
    const line = this.#line();
    const head = this.querySelector("thead")?.getBoundingClientRect().height ?? 0;
    const common = {
      count: this.#count,
      estimateSize: () => line,
      overscan: 0,
      onChange: () => this.#ask(),
    };
    if (scroller) {
      const top = this.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
      return {
        ...common, scrollMargin: top + head, getScrollElement: () => scroller,
        observeElementRect, observeElementOffset, scrollToFn: elementScroll,
      };
    }
    return {
      ...common, scrollMargin: this.getBoundingClientRect().top + window.scrollY + head, getScrollElement: () => window,
      initialOffset: () => window.scrollY,
      observeElementRect: observeWindowRect, observeElementOffset: observeWindowOffset, scrollToFn: windowScroll,
    };
  }

  #update() {
    if (!this.#virtualizer) return;
    this.#virtualizer.setOptions(this.#options());
    this.#virtualizer._willUpdate();
    this.#virtualizer.measure();
    this.#ask();
  }

  #ask() {
    const count = this.#count;
    const seen = this.#virtualizer?.calculateRange() ?? { startIndex: 0, endIndex: Math.min(count, SPARE) - 1 };
    const first = Math.max(0, seen.startIndex);
    const last = Math.min(count, seen.endIndex + 1);
    const { start, end } = this.#asked;
    const enough = start <= Math.max(0, first - NEAR) && end >= Math.min(count, last + NEAR);
    if (enough && end > start) return;
    // After a jump every line is another: what can be seen comes first, and the spare lines with the next step.
    const jumped = last <= start || first >= end;
    const spare = jumped ? NEAR : SPARE;
    this.#asked = { start: Math.max(0, first - spare), end: Math.min(count, last + spare) };
    this.dispatchEvent(new CustomEvent("range", { detail: this.#asked }));
  }
}
