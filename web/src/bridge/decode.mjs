// Turns the values of a paint into what lit draws. The forms are written down in `pyapp/ui/encode.py`.

import { html, nothing, svg } from "lit-html";
import { Handler } from "./events.mjs";
import { data, field, style } from "./holes.mjs";
import { keyed } from "./keyed.mjs";

const TAGS = { html, svg };

// What a hole is; the numbers are those of `HoleKind` in `pyapp/ui/scan.py`.
const CHILD = 0;
const TEXT = 1;
const ATTRIBUTE = 2;
const PROPERTY = 5;
const FIELD = 6;
const STYLE = 7;
const EVENT = 8;

const LIST = -1;
const KEYED = -2;
const UNCHANGED = -3;
const SAME = 0;

export class Decoder {
  /** @type {Map<number, {tag: Function, strings: TemplateStringsArray, holes: number[]}>} */
  #templates = new Map();
  /** Strings by kind and text: lit knows a template by its array, so equal text must always be the same one. */
  #strings = new Map();
  /** @type {Map<number, import("./keyed.mjs").List>} */
  #lists = new Map();

  /** Takes a template in: `[id, kind, strings, holes]`. */
  define([id, kind, text, holes]) {
    const name = JSON.stringify([kind, text]);
    let strings = this.#strings.get(name);
    // `raw` is what lit knows the array of a real template literal by.
    if (!strings) this.#strings.set(name, (strings = Object.freeze(Object.assign(text, { raw: text }))));
    this.#templates.set(id, { tag: TAGS[kind], strings, holes });
  }

  /** Drops lists that are no longer shown. */
  drop(lists) {
    for (const id of lists) this.#lists.delete(id);
  }

  /** What lit draws for the value of a child hole. */
  child(value, root) {
    if (value === null) return nothing;
    if (!Array.isArray(value)) return value;
    switch (value[0]) {
      case LIST:
        return value.slice(1).map((item) => this.child(item, root));
      case KEYED:
        return keyed(this.#list(value, root), root.attention);
      case UNCHANGED:
        return keyed(this.#known(value[1]), root.attention);
      default:
        return this.#template(value, root);
    }
  }

  #known(id) {
    const list = this.#lists.get(id);
    if (!list) throw new Error(`The list ${id} is not known here.`);
    return list;
  }

  /** The list; rows that are the same are the very objects of last time, which is how `keyed` knows them. */
  #list([, id, keys, values, recycle], root) {
    const before = this.#lists.get(id)?.rows;
    const rows = new Map();
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index];
      const value = values[index];
      if (value !== SAME) rows.set(key, this.child(value, root));
      else if (before?.has(key)) rows.set(key, before.get(key));
      else throw new Error(`The row ${key} of the list ${id} is not known here.`);
    }
    const list = { keys, rows, recycle: recycle === 1 };
    this.#lists.set(id, list);
    return list;
  }

  #template(value, root) {
    const template = this.#templates.get(value[0]);
    if (!template) throw new Error(`The template ${value[0]} is not known here.`);
    const { tag, strings, holes } = template;
    const values = new Array(holes.length);
    for (let index = 0; index < holes.length; index++) values[index] = this.#hole(holes[index], value[index + 1], root);
    return tag(strings, ...values);
  }

  #hole(kind, value, root) {
    switch (kind) {
      case CHILD:
        return typeof value === "string" ? value : this.child(value, root);
      case TEXT:
      case ATTRIBUTE:
        return value ?? nothing;
      case PROPERTY:
        return typeof value === "object" && value !== null ? data(value) : value;
      case FIELD:
        return field(value, root);
      case STYLE:
        return style(value);
      case EVENT:
        return value === null ? nothing : new Handler(root, value);
      default:
        return value;
    }
  }
}
