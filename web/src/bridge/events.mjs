// Handlers are data: the name of an action, its arguments as JSON text, and which fields the event adds.
//
// lit keeps one listener per hole and calls `handleEvent` of the value that is there at the time of the event, so a
// repaint adds and removes no listeners.

const PREVENT = 1;
const STOP = 2;

export class Handler {
  #root;
  #start;
  #fields;
  #flags;
  #keys;

  /**
   * @param {{name: string, send: (event: Event, json: string) => void}} root
   * @param {[string, string, string[]?, number?, (string[] | null)?]} handler as `pyapp/ui/actions.py` writes it
   */
  constructor(root, [action, args, fields = [], flags = 0, keys = null]) {
    this.#root = root;
    // The arguments go back as the text they came as: no number is rounded on the way.
    this.#start = `"action":${JSON.stringify(action)},"args":${args}`;
    this.#fields = fields;
    this.#flags = flags;
    this.#keys = keys;
  }

  handleEvent(event) {
    // The Enter that ends a composed character is no Enter of the user's.
    if (this.#keys && (event.isComposing || !this.#keys.includes(event.key))) return;
    if (this.#flags & PREVENT) event.preventDefault();
    if (this.#flags & STOP) event.stopPropagation();
    const fields = {};
    for (const name of this.#fields) {
      const value = read(event, name);
      if (value !== undefined) fields[name] = value;
    }
    const { name, send } = this.#root;
    send(event, `{"root":${JSON.stringify(name)},${this.#start},"fields":${JSON.stringify(fields)}}`);
  }
}

/** The value that an event has for a field; `undefined` if none. `job_id` in Python is `jobId` here. */
function read(event, field) {
  const name = field.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
  const { detail, currentTarget, target, submitter } = event;
  if (typeof detail === "object" && detail !== null) {
    for (const key of [field, name]) if (Object.hasOwn(detail, key)) return detail[key];
  }
  if (currentTarget instanceof HTMLFormElement) {
    if (submitter?.name === field) return submitter.value;
    const control = currentTarget.elements.namedItem(field);
    if (control) return controlValue(control);
  }
  for (let element = target; element instanceof Element; element = element.parentElement) {
    if (element.dataset && name in element.dataset) return element.dataset[name];
    if (element === currentTarget) break;
  }
  return property(isControl(target) ? target : currentTarget, name) ?? property(event, name);
}

const isControl = (element) =>
  element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement;

function property(object, name) {
  if (object instanceof HTMLSelectElement && object.multiple && name === "value") return controlValue(object);
  const value = object?.[name];
  return ["string", "number", "boolean"].includes(typeof value) ? value : undefined;
}

function controlValue(control) {
  if (control instanceof RadioNodeList) {
    const boxes = [...control].filter((one) => one.type === "checkbox");
    return boxes.length ? boxes.filter((box) => box.checked).map((box) => box.value) : control.value;
  }
  if (control.type === "checkbox") return control.checked;
  if (control instanceof HTMLSelectElement && control.multiple) return Array.from(control.selectedOptions, (option) => option.value);
  return control.value;
}
