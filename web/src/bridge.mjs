// The renderer's half in the browser: takes the paints that `pyapp/ui/encode.py` makes and lets lit-html draw them.
//
// A *root* is the element with `data-root="name"`. It keeps the last value it was given, so that it can be drawn anew by
// itself: when its element was replaced (another layout), or when drawing it failed. Nothing here throws because of one
// root: it shows a boundary, and `paint` says so in its answer.

import { nothing, render } from "lit-html";
import { Attention } from "./bridge/attention.mjs";
import { boundary } from "./bridge/boundary.mjs";
import { Decoder } from "./bridge/decode.mjs";

/**
 * @param {object} options
 * @param {Document} options.root where the root elements are looked for
 * @param {(json: string) => void} options.dispatch is called with `{"root", "action", "args", "fields"}` of each action
 */
export function createBridge({ root: document, dispatch }) {
  const attention = new Attention(document);
  const decoder = new Decoder();
  /** @type {Map<string, Root>} */
  const roots = new Map();
  let painting = false;

  /** Sends an action; what happens while something is drawn or removed (a `blur` of what goes) waits until that is done. */
  function send(event, json) {
    attention.answering = event.target;
    if (painting) queueMicrotask(() => dispatch(json));
    else dispatch(json);
  }

  /**
   * Draws one paint.
   *
   * @param {string} json
   * @returns {string} empty, or a JSON list of `[root, message]` for `Encoder.report`
   */
  function paint(json) {
    const { t: templates = [], r: painted, x: gone = [] } = JSON.parse(json);
    const problems = [];
    painting = true;
    try {
      for (const template of templates) decoder.define(template);
      decoder.drop(gone);
      const done = new Set();
      for (const [name, data] of painted) {
        let root = roots.get(name);
        if (!root) roots.set(name, (root = new Root(name, document, attention, send)));
        guard(root, problems, () => {
          root.value = decoder.child(data, root);
          return root.draw();
        });
        done.add(root);
      }
      // A layout that changed may have brought new elements for roots that had nothing to say.
      for (const root of roots.values()) {
        if (!done.has(root) && root.lost()) guard(root, problems, () => root.draw());
      }
    } finally {
      painting = false;
      attention.answering = null;
    }
    return problems.length ? JSON.stringify(problems) : "";
  }

  /** Empties a root and drops what is known of it; `Encoder.forget` does the same on the other side. */
  function forget(name) {
    painting = true; // what it removes may lose the focus, and whoever is told of that must not answer in the middle
    try {
      roots.get(name)?.clear();
      roots.delete(name);
    } finally {
      painting = false;
    }
  }

  return { paint, forget };
}

/** Runs `draw`, and turns what goes wrong into a boundary and a line of the answer. */
function guard(root, problems, draw) {
  try {
    if (!draw()) problems.push([root.name, `There is no element with data-root="${root.name}".`]);
  } catch (error) {
    console.error(`The root "${root.name}" could not be drawn: ${error}`, error);
    problems.push([root.name, String(error)]);
    root.fail(error);
  }
}

/** One root; also what the values drawn in it know of their surroundings. */
class Root {
  #document;
  #element = null;
  // lit keeps its state on the node before which it draws. One of our own makes "anew" a matter of a new anchor.
  #anchor = null;
  #later = [];
  value = nothing;

  constructor(name, document, attention, send) {
    this.name = name;
    this.attention = attention;
    this.send = send;
    this.#document = document;
  }

  /** Whether its element is gone from the document. */
  lost() {
    return !this.#element?.isConnected;
  }

  /** Draws the value; false if there is no element for it. */
  draw() {
    if (this.lost()) {
      this.#element = this.#document.querySelector(`[data-root="${CSS.escape(this.name)}"]`);
      this.#anchor = null;
    }
    if (!this.#element) return false;
    if (this.#anchor?.parentNode !== this.#element) {
      this.#anchor = new Comment();
      this.#element.replaceChildren(this.#anchor);
    }
    this.#later = [];
    render(this.value, this.#element, { renderBefore: this.#anchor });
    for (const task of this.#later) task();
    return true;
  }

  /** Runs `task` when all of this root is drawn: a `<select>` takes its value only when its options are there. */
  later(task) {
    this.#later.push(task);
  }

  /** Shows a boundary; the next draw is one from nothing. */
  fail(error) {
    this.#anchor = null;
    this.#element?.replaceChildren(boundary(error));
  }

  clear() {
    this.#element?.replaceChildren();
  }
}
