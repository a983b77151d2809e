// <pen-dialog open>: a native modal dialog whose being open is an attribute, so that a template can say it.
// It emits `dismiss` when the user closes it by Escape or beside it; `open` is then taken away by the page.

export class PenDialog extends HTMLElement {
  static observedAttributes = ["open"];

  connectedCallback() {
    const dialog = this.#dialog();
    dialog?.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#dismiss();
    });
    dialog?.addEventListener("click", (event) => event.target === dialog && this.#dismiss());
    this.#reconcile();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#reconcile();
  }

  #dialog() {
    return this.querySelector("dialog");
  }

  #reconcile() {
    const dialog = this.#dialog();
    const wanted = this.hasAttribute("open");
    if (!dialog || dialog.open === wanted) return;
    if (wanted) dialog.showModal();
    else dialog.close();
  }

  #dismiss() {
    this.dispatchEvent(new CustomEvent("dismiss"));
  }
}
