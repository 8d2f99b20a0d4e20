// 窓口モード, and staff who confirm a link: staff number and one-time code, typed on keys or on the screen, sent as one event.

const STATES = new Set(["staff_sign_in", "confirming_link"]);
const NUMBER = /^[0-9]{4,8}$/;
const CODE = /^[0-9]{6}$/;

export class StaffDesk {
  #state = "";
  #send;

  /** send(event) posts to the server. */
  constructor({ send }) {
    this.#send = send;
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("mousedown", (event) => event.target.closest?.("#staff-pad") && event.preventDefault());
    document.addEventListener("keydown", (event) => {
      if (STATES.has(this.#state) && event.key === "Enter" && event.target.closest?.("#staff-number, #staff-code")) this.#confirm();
    });
  }

  /** Called after every screen. */
  enter(state) {
    if (state === this.#state) return;
    this.#state = state;
    if (STATES.has(state)) document.getElementById("staff-number").focus({ preventScroll: true });
  }

  /** The field that the keys of the screen fill: the one that has the focus, first the number. */
  #field() {
    const number = document.getElementById("staff-number");
    const code = document.getElementById("staff-code");
    return document.activeElement === code || (document.activeElement !== number && NUMBER.test(number.value)) ? code : number;
  }

  #click(event) {
    const key = STATES.has(this.#state) && event.target.closest?.("[data-staff-digit], [data-staff-key]");
    if (!key) return;
    const field = this.#field();
    if (key.dataset.staffDigit) {
      if (field.value.length < field.maxLength) field.value += key.dataset.staffDigit;
    } else if (key.dataset.staffKey === "backspace") field.value = field.value.slice(0, -1);
    else if (key.dataset.staffKey === "clear") field.value = "";
    else return this.#confirm();
    field.focus({ preventScroll: true });
  }

  /** OK after the number goes on to the code; after the code both are sent. */
  #confirm() {
    const number = document.getElementById("staff-number");
    const code = document.getElementById("staff-code");
    if (!NUMBER.test(number.value)) number.focus();
    else if (!CODE.test(code.value)) code.focus();
    else {
      this.#send({ type: "staff_identified", number: number.value, code: code.value });
      code.value = "";
      code.focus();
    }
  }
}
