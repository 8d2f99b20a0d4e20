// "Are you still there?" (WCAG 2.2.1): asks 30 s before the server's deadline; any touch or key goes on, as often as wanted.

const WARNING_S = 30;
const SPOKEN_AT_S = new Set([30, 20, 10]);
const EXTENDABLE = new Set([
  "choosing_service",
  "awaiting_card",
  "awaiting_pin",
  "confirming_last_pin",
  "awaiting_birth",
  "agreeing",
  "entering_number",
  "confirming_link",
  "consenting",
  "awaiting_text",
  "basic_four_sent",
  "staff_sign_in",
  "result",
  "kazashi_set",
  "refused",
]);
const ACTIVE_EXTENDS_S = 60; // somebody who types is still there: no question, the time is simply renewed
const EXTEND_PAUSE_MS = 5000;

export class Deadline {
  #dialog = document.getElementById("idle");
  #at = null;
  #state = "";
  #timer = 0;
  #offset = 0;
  #lastExtension = -Infinity;
  #send;
  #announce;
  #returnTo = null;

  /** send(event) posts to the server; announce(text) speaks. */
  constructor({ send, announce }) {
    this.#send = send;
    this.#announce = announce;
    document.getElementById("idle-go").addEventListener("click", () => this.#goOn());
    document.getElementById("idle-stop").addEventListener("click", (event) => {
      event.stopPropagation();
      this.#close();
      this.#send({ type: ["result", "kazashi_set", "basic_four_sent", "refused"].includes(this.#state) ? "finished" : "cancelled" });
    });
    this.#dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#goOn();
    });
    this.#dialog.addEventListener("pointerup", (event) => {
      if (!event.target.closest("button")) this.#goOn();
    });
    this.#dialog.addEventListener("keydown", (event) => {
      if (!["Tab", "Enter", " ", "Shift"].includes(event.key)) {
        event.preventDefault();
        event.stopPropagation();
        this.#goOn();
      }
    });
  }

  /** The server's clock, from a Date header (whole seconds). */
  synchronise(serverDate) {
    const offset = Date.parse(serverDate) + 500 - Date.now();
    if (Number.isFinite(offset)) this.#offset = Math.abs(offset) < 2000 ? 0 : offset;
  }

  /** Called after every screen. */
  enter(state, deadline) {
    const at = EXTENDABLE.has(state) && deadline ? Date.parse(deadline) : null;
    if (state !== this.#state || at !== this.#at) this.#close();
    this.#state = state;
    this.#at = at;
    clearInterval(this.#timer);
    if (at !== null) {
      this.#timer = setInterval(() => this.#tick(), 250);
      this.#tick();
    }
  }

  /** Somebody types: if the end is near, ask for more time without a question. */
  noticeActivity() {
    if (this.#at !== null && this.#left() < ACTIVE_EXTENDS_S) this.#extend();
  }

  #left() {
    return Math.ceil((this.#at - Date.now() - this.#offset) / 1000);
  }

  #tick() {
    const left = this.#left();
    if (left > WARNING_S) return;
    if (left <= 0) {
      this.#close();
      clearInterval(this.#timer);
      return;
    }
    if (!this.#dialog.open) {
      this.#returnTo = document.activeElement;
      this.#dialog.showModal();
      document.getElementById("idle-go").focus({ preventScroll: true });
    }
    for (const place of this.#dialog.querySelectorAll("[data-seconds]")) {
      const sentence = place.dataset.seconds.replace("{seconds}", left);
      if (place.textContent !== sentence) {
        place.textContent = sentence;
        if (SPOKEN_AT_S.has(left) && place.lang === document.documentElement.lang) this.#announce(sentence);
      }
    }
  }

  #goOn() {
    this.#close();
    clearInterval(this.#timer);
    this.#extend();
  }

  #extend() {
    const now = performance.now();
    if (now - this.#lastExtension < EXTEND_PAUSE_MS) return;
    this.#lastExtension = now;
    this.#send({ type: "extended" });
  }

  #close() {
    if (!this.#dialog.open) return;
    this.#dialog.close();
    if (this.#returnTo?.isConnected) this.#returnTo.focus({ preventScroll: true });
    this.#returnTo = null;
  }
}
