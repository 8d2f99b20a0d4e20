// The birth date of an enrolment: picked as the card prints it, in this module's memory alone. The server never hears of it; the bridge
// gets six digits in a sealed block, like a PIN. Forgotten when the card goes, and with every other screen.

import { Lead } from "./lead.js";

const SCREENS = new Set(["awaiting_birth", "awaiting_text_code"]);
const CODE_SCREENS = new Set(["awaiting_text_code", "awaiting_text_security"]); // the two halves of verification code B
const REPEAT_AFTER_MS = 450;
const REPEAT_MS = 90;
// first year shown, and the last one; the card prints the Japanese era, or for foreign residents the Gregorian year
const ERAS = {
  reiwa: { from: 1, to: () => new Date().getFullYear() - 2018, start: 1 },
  heisei: { from: 1, to: () => 31, start: 10 },
  showa: { from: 1, to: () => 64, start: 40 },
  taisho: { from: 1, to: () => 15, start: 10 },
  western: { from: 1900, to: () => new Date().getFullYear(), start: 1980 },
};
const DAYS = 31;
const MONTHS = 12;
const EXPIRY_YEARS = 20; // a card is valid for ten years today; what it prints is not judged here
const EXPIRY_START = 5;

export class BirthPicker {
  #date = null; // {era, year, month, day}
  #expiry = null; // the year up to which the card is valid, for verification code B
  #lead = new Lead();
  #need = null;
  #early = false; // confirmed before the bridge said that it waits
  #submitted = false; // on this screen
  #state = "";
  #repeat = 0;
  #submit;
  #announce;
  #onActivity;
  #onPicked;

  /** submit(need, Uint8Array) sends; announce(text) speaks; onActivity() tells that somebody is picking; onPicked() that code B goes on. */
  constructor({ submit, announce, onActivity, onPicked }) {
    this.#submit = submit;
    this.#onPicked = onPicked;
    this.#announce = announce;
    this.#onActivity = onActivity;
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("keydown", (event) => this.#keydown(event));
    document.addEventListener("pointerdown", (event) => this.#press(event));
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) document.addEventListener(name, () => this.#release());
    window.addEventListener("pagehide", () => this.forget());
  }

  /** The bridge holds a card and waits. The screen may have come first: what was picked and confirmed on it since then counts. */
  allow(need) {
    this.#need = need;
    if (this.#early) this.#submitDate();
  }

  forget() {
    this.#need = null;
    this.#early = false;
    this.#date = null;
    this.#expiry = null;
    this.#release();
    this.#show();
  }

  /** Called after every screen; a push within the same screen keeps what was picked. */
  enter(state) {
    if (state !== this.#state) {
      if (!CODE_SCREENS.has(state) || !CODE_SCREENS.has(this.#state)) {
        this.#date = null;
        this.#expiry = null;
      }
      this.#state = state;
      this.#early = false;
      this.#submitted = false;
      this.#release();
    }
    this.#show();
  }

  get #active() {
    return SCREENS.has(this.#state) && document.getElementById("idle")?.open !== true;
  }

  #click(event) {
    if (!this.#active) return;
    const button = event.target.closest?.("[data-era], [data-step], [data-birth]");
    if (!button) return;
    this.#onActivity();
    if (button.dataset.era) this.#choose(button.dataset.era);
    else if (button.dataset.birth === "next") this.#goOn(button);
    else if (button.dataset.birth) this.#confirm(button);
    else this.#move(button.closest("[data-field]").dataset.field, Number(button.dataset.step));
  }

  #keydown(event) {
    const field = this.#active && event.target.closest?.("[data-field]")?.dataset.field;
    const step = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (!field || step === undefined) return;
    event.preventDefault();
    this.#onActivity();
    this.#move(field, step);
  }

  /** A key that is held goes on by itself. */
  #press(event) {
    const button = this.#active && event.target.closest?.("[data-step]");
    if (!button) return;
    const { field } = button.closest("[data-field]").dataset;
    this.#repeat = setTimeout(() => {
      this.#repeat = setInterval(() => this.#move(field, Number(button.dataset.step)), REPEAT_MS);
    }, REPEAT_AFTER_MS);
  }

  #release() {
    clearTimeout(this.#repeat);
    clearInterval(this.#repeat);
  }

  #choose(era) {
    const { month = 1, day = 1 } = this.#date ?? {};
    this.#date = { era, year: ERAS[era].start, month, day };
    this.#early = false;
    this.#show();
  }

  #move(field, step) {
    if (field === "expiry") return this.#moveExpiry(step);
    if (this.#date === null) return;
    this.#early = false;
    const { from, to } = ERAS[this.#date.era];
    const [least, most] = { year: [from, to()], month: [1, MONTHS], day: [1, DAYS] }[field];
    const count = most - least + 1;
    const moved = this.#date[field] + step;
    const round = Math.abs(step) === 1; // from the last one on to the first, one at a time only
    this.#date[field] = round ? least + ((((moved - least) % count) + count) % count) : Math.min(most, Math.max(least, moved));
    this.#show();
  }

  #moveExpiry(step) {
    const from = new Date().getFullYear();
    const moved = this.#expiry === null ? from + EXPIRY_START : this.#expiry + step;
    this.#expiry = Math.min(from + EXPIRY_YEARS, Math.max(from, moved));
    this.#show();
  }

  #confirm(button) {
    if (this.#date === null) {
      this.#miss(button.dataset.missing, "era-showa");
      return;
    }
    if (this.#need !== null) this.#submitDate();
    else this.#early = !this.#submitted;
  }

  #submitDate() {
    const need = this.#need;
    const secret = Uint8Array.from(this.#digits(), (character) => character.charCodeAt(0));
    this.#need = null;
    this.#early = false;
    this.#submitted = true;
    this.#submit(need, secret);
  }

  /** The picked half of verification code B is complete: the digits of the security code come next. */
  #goOn(button) {
    if (this.#date === null) this.#miss(button.dataset.missing, "era-showa");
    else if (this.#expiry === null) this.#miss(button.dataset.missingExpiry, "expiry-up");
    else this.#onPicked();
  }

  #miss(sentence, place) {
    this.#announce(sentence);
    this.#lead.show(sentence);
    document.getElementById(place)?.focus({ preventScroll: true });
  }

  /** The first ten digits of verification code B, for one use; "" where something is missing. */
  take() {
    if (this.#date === null || this.#expiry === null) return "";
    const digits = this.#digits() + String(this.#expiry);
    this.#date = null;
    this.#expiry = null;
    return digits;
  }

  #digits() {
    const { year, month, day } = this.#date;
    return [year % 100, month, day].map((number) => String(number).padStart(2, "0")).join("");
  }

  #show() {
    this.#lead.recall();
    for (const button of document.querySelectorAll("[data-era]")) {
      button.setAttribute("aria-pressed", String(button.dataset.era === this.#date?.era));
    }
    for (const field of ["year", "month", "day"]) {
      const place = document.getElementById(`${field}-value`);
      if (place) place.textContent = this.#date === null ? "–" : String(this.#date[field]);
    }
    const place = document.getElementById("expiry-value");
    if (place) place.textContent = this.#expiry === null ? "–" : String(this.#expiry);
  }
}
