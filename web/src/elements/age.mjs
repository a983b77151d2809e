// <pen-age at="ISO or ms"> and <pen-time at="ISO or ms">: times that the page keeps right by itself.
//
// pen-age   how long ago, ticking; `until` counts down instead; `here` takes this machine's clock and not the server's;
//           `plain` writes `2 s` as text, for sentences, and not as digits with a unit in a slot of its own;
//           `calm` writes `< 10 s` and stands still below that: what is meant to be recent says something when it is not;
//           `of` is the name of a moment that moves by itself (`setMoments`), shown where it is later than `at`.
//           Seconds tick every second, minutes and more at the page's whole ten seconds, all of them together: fifty rows whose
//           minutes end at fifty moments would cost a frame each, for a figure that is no finer than a minute.
// pen-time  the moment itself: `07:13:02`, with the day where it is not today; `brief` leaves whole minutes without seconds.
//
// pen-span  from when `from` to when `to`, or the day where it is one; `brief` leaves the weekday, and today's date.
//
// What is shown shortened has the absolute time in the viewer's zone as its `title`; pen-age and pen-time hold a `<time datetime>`.
// All of them own their children: templates render none into them.

import { age, everySecond, fullTime, latest, moment, now, shortTime, span } from "./clock.mjs";

const CALM_MS = 10_000;
/** The step of what is shown in minutes or more. */
const COARSE_MS = 10_000;

export class PenAge extends HTMLElement {
  static observedAttributes = ["at", "of", "until", "here", "plain", "calm"];

  #stop = null;
  /** What the attributes say, read once: there may be a hundred of these, and every one ticks. */
  #at = NaN;
  #of = null;
  #here = false;
  #until = false;
  #calm = false;
  /** The page's time at which it says something else. */
  #due = 0;
  #titled = NaN;
  #shown = "";
  #time = null;
  #digits = null;
  #unit = null;

  connectedCallback() {
    this.#time ??= this.appendChild(document.createElement("time"));
    this.#stop = everySecond((at) => {
      if (this.#of !== null || at >= this.#due) this.#show();
    });
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
    this.#of = this.getAttribute("of");
    this.#here = this.hasAttribute("here");
    this.#until = this.hasAttribute("until");
    this.#calm = this.hasAttribute("calm");
    this.#show();
  }

  #show() {
    const at = latest(this.#at, this.#of);
    this.#due = Infinity;
    if (Number.isNaN(at)) {
      this.#name(NaN);
      this.#write("—", "");
      return;
    }
    const distance = now(!this.#here) - at;
    const still = this.#calm && distance < CALM_MS;
    // What stands still has no title: with every heartbeat it would be another one.
    this.#name(still ? NaN : at);
    const { value, unit, left } = still ? { value: "< 10", unit: "s", left: CALM_MS - distance } : age(distance, this.#until);
    const due = performance.now() + left;
    this.#due = unit === "s" || this.#until ? due : Math.ceil(due / COARSE_MS) * COARSE_MS;
    this.#write(value, unit);
  }

  /** The absolute time as the title. */
  #name(at) {
    if (Object.is(at, this.#titled)) return;
    this.#titled = at;
    if (Number.isNaN(at)) {
      this.removeAttribute("title");
      this.#time.removeAttribute("datetime");
    } else {
      this.title = fullTime(at);
      this.#time.dateTime = new Date(at).toISOString();
    }
  }

  #write(value, unit) {
    const plain = this.hasAttribute("plain");
    const text = `${value} ${unit} ${plain}`;
    if (text === this.#shown) return;
    this.#shown = text;
    if (plain) {
      this.#digits = null;
      this.#time.textContent = unit ? `${value} ${unit}` : value;
      return;
    }
    if (!this.#digits) {
      this.#digits = document.createTextNode("");
      this.#unit = document.createElement("span");
      this.#unit.className = "u fx";
      this.#time.replaceChildren(this.#digits, this.#unit);
    }
    this.#digits.data = value;
    this.#unit.textContent = unit;
  }
}

export class PenTime extends HTMLElement {
  static observedAttributes = ["at", "brief"];

  #time = null;

  connectedCallback() {
    this.#time ??= this.appendChild(document.createElement("time"));
    this.#show();
  }

  attributeChangedCallback() {
    if (this.#time) this.#show();
  }

  #show() {
    const at = moment(this.getAttribute("at"));
    if (Number.isNaN(at)) {
      this.#time.textContent = "—";
      this.#time.removeAttribute("datetime");
      this.title = "";
      return;
    }
    this.#time.textContent = shortTime(at, this.hasAttribute("brief"));
    this.#time.dateTime = new Date(at).toISOString();
    this.title = fullTime(at);
  }
}

export class PenSpan extends HTMLElement {
  static observedAttributes = ["from", "to", "brief"];

  connectedCallback() {
    this.#show();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#show();
  }

  #show() {
    const from = moment(this.getAttribute("from"));
    const to = moment(this.getAttribute("to"));
    // Both attributes of a reused element come one after the other.
    const brief = this.hasAttribute("brief");
    this.textContent = from < to ? span(from, to, brief) : "";
    if (brief) this.title = from < to ? `${fullTime(from)} – ${fullTime(to)}` : "";
  }
}
