// <pen-pdf src="address" name="words">: a PDF in the browser's own reader.
//
// A sandbox would keep the reader out, and a frame of the address itself would run whatever the server says that it is. So the bytes are
// fetched and named a PDF here: whatever they are, nothing but the reader opens them. It owns its children.

const GONE = "Its content is gone: the server does not have it any more.";
const UNREAD = "Its content could not be read. Download it, or try again later.";

export class PenPdf extends HTMLElement {
  static observedAttributes = ["src"];

  #address = "";
  #asked = null;

  connectedCallback() {
    this.#load();
  }

  disconnectedCallback() {
    this.#forget();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#load();
  }

  #forget() {
    this.#asked?.abort();
    URL.revokeObjectURL(this.#address);
    this.#address = "";
  }

  async #load() {
    this.#forget();
    const asked = (this.#asked = new AbortController());
    try {
      const answer = await fetch(this.getAttribute("src"), { signal: asked.signal });
      if (!answer.ok) return this.#say(answer.status === 404 || answer.status === 410 ? GONE : UNREAD);
      const bytes = await answer.arrayBuffer();
      if (asked.signal.aborted) return;
      this.#address = URL.createObjectURL(new Blob([bytes], { type: "application/pdf" }));
      const frame = document.createElement("iframe");
      frame.title = this.getAttribute("name") ?? "PDF";
      frame.src = this.#address;
      this.replaceChildren(frame);
    } catch {
      if (!asked.signal.aborted) this.#say(UNREAD);
    }
  }

  #say(words) {
    const line = document.createElement("p");
    line.className = "note";
    line.role = "status";
    line.textContent = words;
    this.replaceChildren(line);
  }
}
