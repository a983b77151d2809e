// <pen-hold scope top>: a live list. It says when its rows must keep still, and marks what is new.
//
// It emits `hold` when a mouse, the focus or a selection enters the list or the list is scrolled away from its top, and
// `release` when none of these holds any more. What to do about it is the page's business.
//
// Rows that enter after the first are marked `data-new`; a status that changes marks its cell `data-changed`. Both are attributes
// that no template binds. Another `scope` (other filters) makes the next rows first rows again. Counting `top` up scrolls to the top.

const NEW_MS = 3_000;
const CHANGED_MS = 1_600;

export class PenHold extends HTMLElement {
  static observedAttributes = ["scope", "top"];

  #reasons = new Set();
  #held = false;
  #known = new WeakSet();
  #settled = false;
  #observer = new MutationObserver((records) => this.#mark(records));
  #abort = null;

  connectedCallback() {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const on = (target, type, listener, options) => target.addEventListener(type, listener, { ...options, signal });

    on(this, "pointerenter", (event) => event.pointerType === "mouse" && this.#reason("pointer", true));
    on(this, "pointerleave", () => this.#reason("pointer", false));
    on(this, "focusin", () => this.#reason("focus", true));
    on(this, "focusout", (event) => {
      // Of a selection that was made just now the browser has not told yet: between the two reasons nothing may move.
      this.#reason("selection", this.#selects());
      this.#reason("focus", this.contains(event.relatedTarget));
    });
    on(document, "selectionchange", () => this.#reason("selection", this.#selects()));
    on(this.#scroller() ?? window, "scroll", () => this.#reason("scroll", this.#scrolled() > 0), { passive: true });

    for (const row of this.querySelectorAll("tbody > tr")) this.#settle(row);
    this.#observer.observe(this, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-st"] });
    this.#reason("scroll", this.#scrolled() > 0);
  }

  disconnectedCallback() {
    this.#observer.disconnect();
    this.#abort?.abort();
    this.#reasons.clear();
    this.#held = false;
  }

  attributeChangedCallback(name, before, after) {
    if (before === null || before === after) return;
    if (name === "scope") this.#settled = false;
    if (name === "top") this.#toTop();
  }

  #reason(name, holds) {
    if (holds) this.#reasons.add(name);
    else this.#reasons.delete(name);
    const held = this.#reasons.size > 0;
    if (held === this.#held) return;
    this.#held = held;
    this.dispatchEvent(new CustomEvent(held ? "hold" : "release"));
  }

  #selects() {
    const selection = document.getSelection();
    return Boolean(selection && !selection.isCollapsed && this.contains(selection.anchorNode));
  }

  #scroller() {
    return this.closest(".scroller");
  }

  /** How many pixels of the list are above what can be seen. */
  #scrolled() {
    const scroller = this.#scroller();
    if (scroller) return scroller.scrollTop;
    const head = this.querySelector("th");
    const covered = head ? parseFloat(getComputedStyle(head).top) || 0 : 0;
    return Math.max(0, Math.floor(covered - this.getBoundingClientRect().top));
  }

  #toTop() {
    const scroller = this.#scroller();
    if (scroller) scroller.scrollTop = 0;
    else window.scrollBy(0, -this.#scrolled());
    this.#reason("scroll", false);
  }

  #settle(row) {
    this.#known.add(row);
    this.#settled = true;
  }

  #mark(records) {
    const fresh = [];
    if (this.#streamsBy(records)) return;
    for (const record of records) {
      if (record.type === "attributes") this.#flag(record.target.closest("td"), "data-changed", CHANGED_MS);
      else if (record.target.localName === "tbody") {
        for (const node of record.addedNodes) if (node.localName === "tr" && !this.#known.has(node)) fresh.push(node);
      }
    }
    if (fresh.length === 0) return;
    // When most of a list is new at once, it was read anew: nothing to point at.
    const rows = this.querySelectorAll("tbody > tr").length;
    const point = this.#settled && fresh.length * 2 <= rows;
    for (const row of fresh) {
      this.#settle(row);
      if (point && !row.classList.contains("aside")) this.#flag(row, "data-new", NEW_MS);
    }
  }

  /** Whether most of the list changed at once, its elements reused for other rows: marks would point at the wrong ones. */
  #streamsBy(records) {
    const cells = records.filter((record) => record.type === "attributes").length;
    if (cells === 0 || cells * 2 <= this.querySelectorAll("tbody > tr").length) return false;
    for (const name of ["data-new", "data-changed"]) {
      for (const element of this.querySelectorAll(`[${name}]`)) element.removeAttribute(name);
    }
    return true;
  }

  #flag(element, attribute, forMs) {
    if (!element || element.hasAttribute(attribute)) return;
    element.setAttribute(attribute, "");
    setTimeout(() => element.removeAttribute(attribute), forMs);
  }
}
