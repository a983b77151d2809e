// Where the user is at this moment: the focus, a pressed pointer, a composed character, the control that was just used.
// Drawing asks, so that nothing is moved or overwritten under the user's hands.

export class Attention {
  #document;
  #pressed = null;
  #waiting = new Set();
  #settling = false;
  /** Whether an input method is in the middle of a character. */
  composing = false;
  /** The target of the event whose action was sent last, until a paint answers it. */
  answering = null;

  constructor(document) {
    this.#document = document;
    const capture = { capture: true, passive: true };
    document.addEventListener("pointerdown", (event) => { this.#pressed = event.target; }, capture);
    document.addEventListener("pointerup", () => this.#release(), capture);
    document.addEventListener("pointercancel", () => this.#release(), capture);
    document.addEventListener("focusout", () => this.#settle(), capture);
    document.addEventListener("compositionstart", () => { this.composing = true; }, capture);
    document.addEventListener("compositionend", () => { this.composing = false; }, capture);
  }

  /** Whether the focus, or a pointer that is held down, is in what a child part of lit has drawn. */
  isIn(part) {
    return inside(part, this.#document.activeElement) || inside(part, this.#pressed);
  }

  /** Whether a paint now answers an event of this control, or of its form. */
  answers(control) {
    const target = this.answering;
    return target !== null && (target === control || (control.form != null && (target === control.form || target.form === control.form)));
  }

  /** Calls `settle` once when the user has gone elsewhere. */
  wait(settle) {
    this.#waiting.add(settle);
  }

  #release() {
    // After the click that follows: what is pressed must not move between the two.
    setTimeout(() => {
      this.#pressed = null;
      this.#settle();
    });
  }

  #settle() {
    if (this.#settling || this.#waiting.size === 0) return;
    this.#settling = true;
    // During `focusout` the focus is nowhere; a moment later it is where it went.
    setTimeout(() => {
      this.#settling = false;
      if (this.#pressed) return; // its release comes here again
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const settle of waiting) settle();
    });
  }
}

function inside(part, node) {
  const parent = part.parentNode;
  if (!node || !parent || node === parent || !parent.contains(node)) return false;
  while (node.parentNode !== parent) node = node.parentNode;
  const { startNode, endNode } = part;
  const after = !startNode || startNode.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING;
  const before = !endNode || endNode.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_PRECEDING;
  return Boolean(after && before);
}
