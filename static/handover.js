// The user number on a result (docs/wire.md 8): fetches what the server says of it, shows its barcode for a while after a touch, and
// carries one ticket from the server to the bridge. The number itself is in no variable here.

const SHOWN_MS = 15000;
const ANSWER_MS = 30000; // asking a library may take a few tries

export class Handover {
  #post;
  #bridge;
  #onActivity;
  #shown = 0; // the timer of the barcode
  #asked = 0; // what was asked for last; an answer to an earlier question is dropped
  #sending = ""; // the ticket under way, by its id

  /** post(path, body) → Response; bridge.handOver(ticket); onActivity(): somebody is using the screen */
  constructor({ post, bridge, onActivity }) {
    this.#post = post;
    this.#bridge = bridge;
    this.#onActivity = onActivity;
    document.addEventListener("click", (event) => this.#click(event));
  }

  /** A screen was put in place. */
  enter(state) {
    clearTimeout(this.#shown);
    this.#asked += 1;
    if (state === "result" && this.#place !== null) this.#load();
  }

  /** The card does not lie there any more: a number that is shown goes at once, whether the server can be asked or not. */
  hide() {
    clearTimeout(this.#shown);
    this.#asked += 1;
    document.getElementById("number-shown")?.remove();
  }

  /** What the bridge said of the ticket. */
  async finish({ output, code, sent }) {
    const ended = output || this.#sending; // a bridge that refuses a ticket names none
    this.#sending = "";
    await this.#put(() => this.#post("/k/handover/outcome", { v: 1, output: ended, code, sent }));
  }

  get #place() {
    return document.getElementById("handover");
  }

  async #load() {
    await this.#put(() => fetch("/k/handover", { signal: AbortSignal.timeout(ANSWER_MS) }));
  }

  async #put(ask) {
    const asked = (this.#asked += 1);
    try {
      const response = await ask();
      const html = response.status === 200 ? await response.text() : "";
      if (asked !== this.#asked || this.#place === null) return;
      this.#place.innerHTML = html;
      const { status, library } = document.getElementById("number")?.dataset ?? {};
      if (status === "ready") await this.#send();
      if (library) this.#askLibrary(asked);
    } catch (error) {
      console.error(error.name);
    }
  }

  async #askLibrary(asked) {
    try {
      const response = await fetch("/k/handover/library", { signal: AbortSignal.timeout(ANSWER_MS) });
      const html = response.status === 200 ? await response.text() : "";
      const place = document.getElementById("number-library");
      if (asked === this.#asked && place !== null && html) place.outerHTML = html;
    } catch (error) {
      console.error(error.name);
    }
  }

  async #send() {
    if (this.#sending) return;
    this.#sending = "asked for";
    try {
      const response = await this.#post("/k/handover/ticket", { v: 1 });
      const { ticket } = response.status === 200 ? await response.json() : {};
      this.#sending = ticket === undefined ? "" : this.#readId(ticket);
      if (ticket !== undefined && !this.#bridge.handOver(ticket)) await this.finish({ output: "", code: "bridge_lost", sent: 0 });
    } catch (error) {
      this.#sending = "";
      console.error(error.name);
    }
  }

  #readId(ticket) {
    return JSON.parse(atob(ticket.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).jti;
  }

  async #show() {
    const asked = (this.#asked += 1);
    const response = await fetch("/k/handover/number", { signal: AbortSignal.timeout(ANSWER_MS) });
    const html = response.status === 200 ? await response.text() : "";
    if (asked !== this.#asked || this.#place === null) return;
    this.#place.innerHTML = html;
    this.#shown = setTimeout(() => {
      this.hide();
      this.#load();
    }, SHOWN_MS);
  }

  #click(event) {
    const wish = event.target.closest?.("[data-handover]")?.dataset.handover;
    if (wish === undefined) return;
    this.#onActivity();
    if (wish === "send") this.#send();
    else if (wish === "show") this.#show().catch((error) => console.error(error.name));
  }
}
