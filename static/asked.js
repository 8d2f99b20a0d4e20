// A reading for which a municipal system sent this browser here (docs/readings.md): hands the handle of the address to the server, once
// the bridge has told its reader, and leaves when the visit is over. Where it leaves to is not known here: the server sends the browser on.

const KEPT = "kiosk-reading"; // outlives a reload, in this tab alone
const RETURN = "/k/readings/return";
const OVER = new Set(["choosing_service", "out_of_service", "superseded"]);

export class AskedReading {
  #post;
  #show;
  #uri = "";
  #state = "";
  #told = false; // the server knows what is on the reader
  #offering = false;
  #open = false; // the terminal shows the request, or showed it

  /** post(path, body) → Response; show(fragment, force) puts a screen in place */
  constructor({ post, show }) {
    this.#post = post;
    this.#show = show;
    this.#uri = new URLSearchParams(location.search).get("request_uri") ?? "";
    if (this.#uri) sessionStorage.removeItem(KEPT);
    if (location.search) history.replaceState(null, "", location.pathname);
    this.#open = sessionStorage.getItem(KEPT) !== null;
  }

  /** A screen was put in place. */
  enter(state) {
    this.#state = state;
    if (this.#open && OVER.has(state)) this.#leave();
    else this.#offer();
  }

  /** The server took what the bridge says of its reader. */
  noticeReader() {
    this.#told = true;
    this.#offer();
  }

  async #offer() {
    if (!this.#uri || !this.#told || this.#offering || this.#state !== "choosing_service") return;
    this.#offering = true;
    try {
      const response = await this.#post("/k/readings", { v: 1, request_uri: this.#uri });
      if (response.status >= 500) return;
      if (response.status !== 409) this.#uri = "";
      if (response.ok) {
        this.#open = true;
        sessionStorage.setItem(KEPT, "1");
      }
      await this.#show(await response.text(), !response.ok);
    } catch (error) {
      console.error(error.name); // asked again with the next screen
    } finally {
      this.#offering = false;
    }
  }

  #leave() {
    this.#open = false;
    sessionStorage.removeItem(KEPT);
    location.replace(RETURN);
  }
}
