// 連携登録: the number of an old card, typed on the keys of the screen or sent by a barcode reader like a keyboard, told to the server as one
// event; and, on the screen on which staff confirm it, fetched for this page alone. It is kept in no variable.

const STATE = "entering_number";
const CONFIRMED_IN = "confirming_link";
const ANSWER_MS = 8000;

export class UserNumber {
  #state = "";
  #asked = 0; // an answer that comes after another screen is dropped
  #send;
  #onActivity;

  /** send(event) posts to the server; onActivity(): somebody is typing. */
  constructor({ send, onActivity }) {
    this.#send = send;
    this.#onActivity = onActivity;
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("mousedown", (event) => event.target.closest?.("#number-pad") && event.preventDefault());
    document.addEventListener("keydown", (event) => this.#keydown(event));
  }

  /** Called after every screen; `again`: the same state, after a number that did not do. */
  enter(state) {
    const first = state !== this.#state;
    this.#state = state;
    this.#asked += 1;
    if (state === STATE && first) this.#field.focus({ preventScroll: true });
    if (state === CONFIRMED_IN) this.#load(this.#asked);
  }

  get #field() {
    return document.getElementById("user-number");
  }

  async #load(asked) {
    const response = await fetch("/k/linking/number", { signal: AbortSignal.timeout(ANSWER_MS) });
    const html = response.status === 200 ? await response.text() : "";
    const place = document.getElementById("typed-number");
    if (asked === this.#asked && place !== null) place.innerHTML = html;
  }

  /** A reader sends to whatever has the focus: wherever that is, its signs belong into the field. */
  #keydown(event) {
    if (this.#state !== STATE) return;
    this.#onActivity();
    const button = document.activeElement instanceof HTMLButtonElement;
    if (event.key === "Enter" && !button) {
      event.preventDefault();
      this.#confirm();
    } else if ([...event.key].length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey && event.key !== " ") {
      this.#field.focus({ preventScroll: true });
    }
  }

  #click(event) {
    const key = this.#state === STATE && event.target.closest?.("[data-number-digit], [data-number-key]");
    if (!key) return;
    this.#onActivity();
    const field = this.#field;
    if (key.dataset.numberDigit) {
      if (field.value.length < field.maxLength) field.value += key.dataset.numberDigit;
    } else if (key.dataset.numberKey === "backspace") field.value = field.value.slice(0, -1);
    else if (key.dataset.numberKey === "clear") field.value = "";
    else return this.#confirm();
    field.focus({ preventScroll: true });
  }

  #confirm() {
    const field = this.#field;
    const number = field.value.trim();
    if (number !== "") this.#send({ type: "number_entered", number });
    field.value = "";
    field.focus({ preventScroll: true });
  }
}
