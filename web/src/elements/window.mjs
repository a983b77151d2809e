// <pen-window after before>: the form that chooses a range of time (RT-4).
//
// Around a form with two `datetime-local` inputs named `after` and `before`, and buttons with `data-minutes`. The inputs speak the
// viewer's zone; the element speaks UTC: it emits `window` {after, before} in ISO. Bounds are fixed here, once, when chosen:
// a preset ends at the server's now, in whole seconds. `.zone` and `.problem` inside are filled by the element.

import { iso, now, zone } from "./clock.mjs";

/** The value of a `datetime-local` input: the same moment on the viewer's wall clock. */
function local(ms) {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

export class PenWindow extends HTMLElement {
  static observedAttributes = ["after", "before"];

  #abort = null;

  connectedCallback() {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.addEventListener("submit", (event) => this.#submit(event), { signal });
    this.addEventListener("click", (event) => this.#preset(event), { signal });
    const zoneName = this.querySelector(".zone");
    if (zoneName) zoneName.textContent = zone(Date.now());
    this.#fill();
  }

  disconnectedCallback() {
    this.#abort?.abort();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#fill();
  }

  /** Without a window, the last hour: a place to start typing from. */
  #fill() {
    const before = Date.parse(this.getAttribute("before") ?? "") || now(true);
    const after = Date.parse(this.getAttribute("after") ?? "") || before - 3_600_000;
    this.#input("after").value = local(after);
    this.#input("before").value = local(before);
    this.#problem("");
  }

  #input(name) {
    return this.querySelector(`input[name="${name}"]`);
  }

  #submit(event) {
    event.preventDefault();
    const after = new Date(this.#input("after").value).getTime();
    const before = new Date(this.#input("before").value).getTime();
    if (Number.isNaN(after) || Number.isNaN(before)) this.#problem("Both times are needed.");
    else if (after >= before) this.#problem("From must be before To.");
    else this.#choose(after, before);
  }

  #preset(event) {
    const minutes = Number(event.target.closest("[data-minutes]")?.dataset.minutes);
    if (!minutes) return;
    const before = now(true);
    this.#choose(before - minutes * 60_000, before);
  }

  #choose(after, before) {
    this.#problem("");
    this.closest("[popover]")?.hidePopover();
    this.dispatchEvent(new CustomEvent("window", { detail: { after: iso(after), before: iso(before) } }));
  }

  #problem(words) {
    const line = this.querySelector(".problem");
    if (!line) return;
    line.textContent = words;
    line.hidden = !words;
  }
}
