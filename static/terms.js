// Terms of use and privacy policy over any screen. They are in the page from the start: nothing is asked of the server, what was typed stays,
// and they close with the card, with the screen, on Escape, and after a while without a touch.

const CLOSE_AFTER_MS = 90000;
const PAGE = 0.8; // of what is seen

export class Terms {
  #dialog = document.getElementById("policies");
  #text = document.getElementById("terms-text");
  #timer = 0;
  #state = "";
  #onActivity;
  #returnTo = null;

  /** onActivity(): somebody is reading */
  constructor({ onActivity }) {
    this.#onActivity = onActivity;
    document.addEventListener("click", (event) => event.target.closest?.("#terms-open, [data-terms='open']") && this.#open());
    document.getElementById("terms-close").addEventListener("click", () => this.close());
    document.getElementById("terms-up").addEventListener("click", () => this.#turn(-1));
    document.getElementById("terms-down").addEventListener("click", () => this.#turn(1));
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
    if (this.#dialog.open) this.#dialog.close();
  }

  #open() {
    if (this.#dialog.open) return;
    this.#returnTo = document.activeElement;
    this.#dialog.showModal();
    this.#text.scrollTop = 0;
    this.#text.focus({ preventScroll: true });
    this.#noticeReader();
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
    if (this.#returnTo?.isConnected) this.#returnTo.focus({ preventScroll: true });
    this.#returnTo = null;
  }
}
