// Keyed lists. lit's `repeat` moves the rows; here is decided what it is told.
//
// A row whose value is the object that is already shown is left alone. While the user's focus or pressed pointer is in
// the list, the rows that are there keep their order, because moving a focused row takes its focus away, and a click
// whose row moved between press and release is lost. New rows go behind their predecessors, rows that are gone go. When
// the user has left, the order is put right.
//
// lit knows a row by its *slot*, which is its own for as long as its key is shown. Only a list that says so may recycle:
// when most of it is new at once, its rows take the slots that are there in their order, so that elements are filled anew
// and none is made, moved or removed. At a flood that is a third of the page's work.

import { noChange } from "lit-html";
import { AsyncDirective, directive } from "lit-html/async-directive.js";
import { repeat } from "lit-html/directives/repeat.js";

/**
 * @typedef {object} List
 * @property {(string | number)[]} keys in their order
 * @property {Map<string | number, unknown>} rows the value of each key
 * @property {boolean} recycle whether the elements of a row may become another row's
 */

class Keyed extends AsyncDirective {
  #part;
  #list = null;
  #order = [];
  /** The slots of `#order`, and what each shows. */
  #slots = [];
  #shown = new Map();
  #next = 0;
  #held = false;

  update(part, [list, attention]) {
    this.#part = part;
    const watched = this.#order.length > 0 && attention.isIn(part);
    if (list === this.#list && (!this.#held || watched)) return noChange;
    let order = list.keys;
    if (watched) {
      const kept = this.#order.filter((key) => list.rows.has(key));
      // `repeat` takes a short cut that moves a row past one that is removed in the same step. So removal goes first.
      if (kept.length < this.#order.length && kept.length < order.length) this.setValue(this.#rows(kept, list.rows, false));
      order = heldOrder(kept, order);
    }
    this.#list = list;
    this.#held = order !== list.keys;
    if (this.#held) attention.wait(() => this.#settle(attention));
    return this.#rows(order, list.rows, list.recycle && !watched);
  }

  render() {
    return noChange;
  }

  #rows(order, rows, recycle) {
    const before = new Map();
    for (let index = 0; index < this.#order.length; index++) before.set(this.#order[index], this.#slots[index]);
    let slots = order.map((key) => before.get(key));
    const fresh = slots.reduce((count, slot) => count + (slot === undefined), 0);
    if (recycle && fresh * 2 > order.length) slots = this.#slots.slice(0, order.length);
    for (let index = 0; index < order.length; index++) slots[index] ??= this.#next++;
    const shown = this.#shown;
    const showing = new Map();
    this.#order = order;
    this.#slots = slots;
    this.#shown = showing;
    return repeat(
      order,
      (_, index) => slots[index],
      (key, index) => {
        const value = rows.get(key);
        showing.set(slots[index], value);
        return value === shown.get(slots[index]) ? noChange : value;
      },
    );
  }

  #settle(attention) {
    // The list may have gone, or its whole root, and lit is told only of the first.
    if (!this.isConnected || !this.#part.parentNode?.isConnected || !this.#held) return;
    const value = this.update(this.#part, [this.#list, attention]);
    if (value !== noChange) this.setValue(value);
    else attention.wait(() => this.#settle(attention));
  }
}

/** The rows that stay in the order they have, each new one behind its predecessor; `wanted` itself if that is the same. */
function heldOrder(kept, wanted) {
  const there = new Set(kept);
  if (wanted.filter((key) => there.has(key)).every((key, index) => key === kept[index])) return wanted;
  const first = [];
  const behind = new Map();
  let place = first;
  for (const key of wanted) {
    if (there.has(key)) behind.set(key, (place = []));
    else place.push(key);
  }
  return [...first, ...kept.flatMap((key) => [key, ...behind.get(key)])];
}

/** `keyed(list, attention)` in a child hole. */
export const keyed = directive(Keyed);
