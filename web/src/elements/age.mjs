// <pen-age at="ISO or ms"> and <pen-time at="ISO or ms">: times that the page keeps right by itself.
//
// pen-age   how long ago, ticking; `until` counts down instead; `here` takes this machine's clock and not the server's;
//           `plain` writes `2 s` as text, for sentences, and not as digits with a unit in a slot of its own.
// pen-time  the moment itself: `07:13:02`, with the day where it is not today; `brief` leaves whole minutes without seconds.
//
// Both put the absolute time in the viewer's zone into `title`. They own their children: templates render none into them.

import { age, everySecond, fullTime, moment, now, shortTime } from "./clock.mjs";

export class PenAge extends HTMLElement {
  static observedAttributes = ["at", "until", "here", "plain"];

  #stop = null;
  /** The moment, read once: there may be a hundred of these, and every one ticks. */
  #at = NaN;
  #shown = "";
  #digits = null;
  #unit = null;

  connectedCallback() {
    this.#stop = everySecond(() => this.#show());
    this.#read();
  }

  disconnectedCallback() {
    this.#stop?.();
    this.#stop = null;
  }

  attributeChangedCallback() {
    if (this.#stop) this.#read();
  }

  #read() {
    this.#at = moment(this.getAttribute("at"));
    if (Number.isNaN(this.#at)) this.removeAttribute("title");
    else this.title = fullTime(this.#at);
    this.#show();
  }

  #show() {
    if (Number.isNaN(this.#at)) {
      this.#write("—", "");
      return;
    }
    const distance = now(!this.hasAttribute("here")) - this.#at;
    const { value, unit } = age(this.hasAttribute("until") ? -distance : distance);
    this.#write(value, unit);
  }

  #write(value, unit) {
    const plain = this.hasAttribute("plain");
    const text = `${value} ${unit} ${plain}`;
    if (text === this.#shown) return;
    this.#shown = text;
    if (plain) {
      this.#digits = null;
      this.textContent = unit ? `${value} ${unit}` : value;
      return;
    }
    if (!this.#digits) {
      this.#digits = document.createTextNode("");
      this.#unit = document.createElement("span");
      this.#unit.className = "u fx";
      this.replaceChildren(this.#digits, this.#unit);
    }
    this.#digits.data = value;
    this.#unit.textContent = unit;
  }
}

export class PenTime extends HTMLElement {
  static observedAttributes = ["at", "brief"];

  connectedCallback() {
    this.#show();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#show();
  }

  #show() {
    const at = moment(this.getAttribute("at"));
    this.textContent = Number.isNaN(at) ? "—" : shortTime(at, this.hasAttribute("brief"));
    this.title = Number.isNaN(at) ? "" : fullTime(at);
  }
}
