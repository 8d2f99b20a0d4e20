// The basic 4 information on the screen that says what was sent. The server puts it into one answer and into no push; here it is kept for as
// long as that screen stays, so that a push, another language or larger letters do not take it from the resident's eyes.

const STATE = "basic_four_sent";

export class ShownItems {
  #kept = null; // name → text
  #gone = false;

  /** They were read from the card that lies there, and its holder may see them. */
  expect() {
    this.#gone = false;
  }

  /** The card is gone: nobody is known to look at them any more, also when they are still on their way. */
  forget() {
    this.#kept = null;
    this.#gone = true;
    this.#clear();
  }

  #clear() {
    for (const place of document.querySelectorAll("[data-item]")) place.textContent = "";
  }

  /** Called after every screen. */
  enter(state) {
    if (state !== STATE) {
      this.#kept = null;
      return;
    }
    if (this.#gone) {
      this.#clear();
      return;
    }
    const places = [...document.querySelectorAll("[data-item]")];
    if (places.some((place) => place.textContent !== "")) {
      this.#kept = new Map(places.map((place) => [place.dataset.item, place.textContent]));
      return;
    }
    for (const place of places) place.textContent = this.#kept?.get(place.dataset.item) ?? "";
  }
}
