// Directives for the properties that need more than an assignment.

import { noChange } from "lit-html";
import { Directive, directive } from "lit-html/directive.js";

/**
 * `.value` and `.checked` of controls, which the user changes too. Like lit's `live` it compares with the element, not
 * with what was drawn last. But it writes only when the program has something to say: the bound value changed, or the
 * paint answers an event of this control or its form. So what the user types is not overwritten by a paint about
 * something else, and a control always shows what the page made of its event.
 */
class Field extends Directive {
  #bound;

  update(part, [value, root]) {
    const { element, name } = part;
    const changed = value !== this.#bound;
    this.#bound = value;
    const { attention } = root;
    if (!changed && !attention.answers(element)) return noChange;
    // Writing in the middle of a composed character would break it off; the event at its end brings the next paint.
    if (attention.composing && element === element.ownerDocument.activeElement) return noChange;
    const write = () => {
      if (element[name] !== value) element[name] = value;
    };
    if (element.localName === "select") root.later(write);
    else write();
    return noChange;
  }

  render() {
    return noChange;
  }
}

/** `.style={{"--width": "40%"}}` through the CSSOM, which the page's policy allows. */
class Style extends Directive {
  #declared = {};

  update(part, [declared]) {
    const { style } = part.element;
    for (const name of Object.keys(this.#declared)) {
      if (!Object.hasOwn(declared, name)) style.removeProperty(name);
    }
    for (const [name, value] of Object.entries(declared)) {
      if (this.#declared[name] !== value) style.setProperty(name, value);
    }
    this.#declared = declared;
    return noChange;
  }

  render() {
    return noChange;
  }
}

/** Lists and objects for custom elements: set only if they differ, so that a chart is not drawn again for nothing. */
class Data extends Directive {
  #value;

  update(_part, [value]) {
    if (same(this.#value, value)) return noChange;
    return (this.#value = value);
  }

  render() {
    return noChange;
  }
}

function same(a, b) {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));
}

export const field = directive(Field);
export const style = directive(Style);
export const data = directive(Data);
