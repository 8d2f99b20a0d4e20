// A text over any screen: the terms, which are in the page from the start, and what is held about somebody, which is fetched for this page alone
// and gone when it closes. What was typed stays; it closes with the card, with the screen, on Escape, and after a while without a touch.

const CLOSE_AFTER_MS = 90000;
const PAGE = 0.8; // of what is seen

export class Sheet {
  #dialog;
  #text;
  #load;
  #timer = 0;
  #state = "";
  #onActivity;
  #returnTo = null;
  #asked = 0; // an answer that comes after another screen is dropped

  /** name: first part of the ids in it; openers: what is touched; load(): the text, "" for none; onActivity(): somebody is reading */
  constructor({ dialog, name, openers, onActivity, load = null }) {
    this.#dialog = document.getElementById(dialog);
    this.#text = document.getElementById(`${name}-text`);
    this.#load = load;
    this.#onActivity = onActivity;
    const on = (key, listener) => document.getElementById(`${name}-${key}`).addEventListener("click", listener);
    document.addEventListener("click", (event) => event.target.closest?.(openers) && this.#open());
    on("close", () => this.close());
    on("up", () => this.#turn(-1));
    on("down", () => this.#turn(1));
    this.#dialog.addEventListener("keydown", (event) => {
      event.stopPropagation(); // digits are not typed into a field that nobody sees
      this.#noticeReader();
    });
    for (const name of ["pointerdown", "wheel"]) this.#dialog.addEventListener(name, () => this.#noticeReader(), { passive: true });
    this.#text.addEventListener("scroll", () => this.#noticeReader(), { passive: true });
    this.#dialog.addEventListener("close", () => this.#closed());
  }

  /** A screen was put in place: another state is about something else. */
  enter(state) {
    if (state !== this.#state) this.close();
    this.#state = state;
  }

  close() {
    this.#asked += 1;
    if (this.#dialog.open) this.#dialog.close();
  }

  async #open() {
    if (this.#dialog.open) return;
    if (this.#load !== null && !(await this.#fill())) return;
    this.#returnTo = document.activeElement;
    this.#dialog.showModal();
    this.#text.scrollTop = 0;
    this.#text.focus({ preventScroll: true });
    this.#noticeReader();
  }

  async #fill() {
    const asked = (this.#asked += 1);
    const html = await this.#load().catch((error) => console.error(error.name));
    if (!html || asked !== this.#asked) return false;
    this.#text.innerHTML = html;
    return true;
  }

  #turn(direction) {
    this.#text.scrollBy({ top: direction * PAGE * this.#text.clientHeight });
  }

  #noticeReader() {
    if (!this.#dialog.open) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.close(), CLOSE_AFTER_MS);
    this.#onActivity();
  }

  #closed() {
    clearTimeout(this.#timer);
    if (this.#load !== null) this.#text.replaceChildren();
    if (this.#returnTo?.isConnected) this.#returnTo.focus({ preventScroll: true });
    this.#returnTo = null;
  }
}
