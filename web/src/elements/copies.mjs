// <pen-copies>: every `<button class="copy">` of the page, which copies the nearest `data-copy` around it. It emits `copy` with the
// text. One listener for all, so that a row's button costs a row nothing.

export class PenCopies extends HTMLElement {
  #abort = null;

  connectedCallback() {
    this.#abort = new AbortController();
    document.addEventListener("click", (event) => this.#click(event), { signal: this.#abort.signal });
  }

  disconnectedCallback() {
    this.#abort?.abort();
  }

  #click(event) {
    const button = event.target.closest?.("button.copy");
    const text = button?.closest("[data-copy]")?.dataset.copy;
    if (text) this.dispatchEvent(new CustomEvent("copytext", { detail: { text } }));
  }
}
