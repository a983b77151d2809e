// <pen-keys bindings='{"g j": "go jobs", "/": "search"}'>: the keyboard of the whole page.
//
// It emits `command` with the name that the keys are bound to. What concerns the focus alone it does itself: `search`, `next`,
// `previous`, `select`, `copy` and `act`, on the rows that are there. No key fires while somebody types, composes a character or holds a
// modifier, nor behind an open dialog; Ctrl+K or Cmd+K is the exception, because it opens one.

const PAUSE_MS = 1_200;
const FIELDS = "textarea, select, [contenteditable]:not([contenteditable=false]), [role=textbox], [role=combobox]";
const UNTYPED = new Set(["button", "checkbox", "color", "file", "image", "radio", "range", "reset", "submit"]);
const ROWS = "[data-panel] tbody > tr:not(.spacer, .aside)";

export class PenKeys extends HTMLElement {
  #first = "";
  #pause = 0;
  #abort = null;

  connectedCallback() {
    this.#abort = new AbortController();
    document.addEventListener("keydown", (event) => this.#down(event), { signal: this.#abort.signal });
  }

  disconnectedCallback() {
    this.#abort?.abort();
    this.#wait("");
  }

  #down(event) {
    if (event.defaultPrevented || event.isComposing) return;
    const { key } = event;
    const held = event.ctrlKey || event.metaKey;
    if (held && !event.altKey && !event.shiftKey && key.toLowerCase() === "k") return this.#palette(event);
    if (held || event.altKey || key === "Shift" || typing(event.target) || document.querySelector("dialog[open]")) return;
    const bindings = JSON.parse(this.getAttribute("bindings") ?? "{}");
    const keys = this.#first ? `${this.#first} ${key}` : key;
    this.#wait("");
    const name = bindings[keys];
    if (name === undefined) {
      if (Object.keys(bindings).some((one) => one.startsWith(`${keys} `))) this.#wait(keys);
      return;
    }
    event.preventDefault();
    this.#do(name);
  }

  #palette(event) {
    event.preventDefault();
    // Behind another dialog nothing opens; over its own it closes.
    if (document.querySelector("dialog[open]:not(.palette)")) return;
    this.#do("palette");
  }

  /** Keeps the first of two keys for a moment. */
  #wait(keys) {
    clearTimeout(this.#pause);
    this.#first = keys;
    if (keys) this.#pause = setTimeout(() => this.#wait(""), PAUSE_MS);
  }

  #do(name) {
    if (name === "search") return search();
    if (name === "next") return step(1);
    if (name === "previous") return step(-1);
    if (name === "select") return currentRow()?.querySelector('input[type="checkbox"]')?.click();
    if (name === "copy") return currentRow()?.querySelector("button.copy")?.click();
    if (name === "act") return document.querySelector(".picked button")?.focus();
    this.dispatchEvent(new CustomEvent("command", { detail: { name } }));
  }
}

function typing(target) {
  if (!(target instanceof Element)) return false;
  return target instanceof HTMLInputElement ? !UNTYPED.has(target.type) : Boolean(target.closest(FIELDS));
}

function search() {
  const field = document.querySelector('main input[type="search"]');
  field?.focus();
  field?.select();
}

const currentRow = () => document.activeElement?.closest?.(ROWS) ?? null;

/** Moves the focus to the row before or behind, in the list that has it, or to the first row of the page. */
function step(by) {
  const here = currentRow();
  const rows = [...(here?.closest("tbody") ?? document).querySelectorAll(here ? ":scope > tr:not(.spacer, .aside)" : ROWS)];
  const row = here ? rows[rows.indexOf(here) + by] : rows[0];
  if (!row) return;
  const inside = row.querySelector("a[href]") ?? row.querySelector("input, button");
  if (!inside) row.tabIndex = -1;
  (inside ?? row).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}
