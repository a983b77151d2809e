// <pen-options active="id">: around a listbox that scrolls by itself; its active option is kept in sight.

export class PenOptions extends HTMLElement {
  static observedAttributes = ["active"];

  attributeChangedCallback() {
    // After the paint that moved it: the option may be part of the same one.
    queueMicrotask(() => document.getElementById(this.getAttribute("active"))?.scrollIntoView({ block: "nearest" }));
  }
}
