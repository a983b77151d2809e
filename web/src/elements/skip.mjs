// <pen-skip to="id">: around a link that skips to the content. Routes are in the hash, so the link cannot be an anchor's.

export class PenSkip extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      event.preventDefault();
      document.getElementById(this.getAttribute("to"))?.focus();
    });
  }
}
