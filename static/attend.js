// 窓口モード: the name and the one-time code of a member of staff, typed on keys or on the screen, sent as one event.

const STATE = "staff_sign_in";
const CODE_LENGTH = 6;

export class StaffDesk {
  #state = "";
  #send;

  /** send(event) posts to the server. */
  constructor({ send }) {
    this.#send = send;
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("mousedown", (event) => event.target.closest?.("#staff-pad") && event.preventDefault());
    document.addEventListener("keydown", (event) => {
      if (this.#state === STATE && event.key === "Enter" && event.target.closest?.("#staff-name, #staff-code")) this.#confirm();
    });
  }

  /** Called after every screen. */
  enter(state) {
    if (state === this.#state) return;
    this.#state = state;
    if (state === STATE) document.getElementById("staff-name").focus({ preventScroll: true });
  }

  #click(event) {
    const key = this.#state === STATE && event.target.closest?.("[data-staff-digit], [data-staff-key]");
    if (!key) return;
    const name = document.getElementById("staff-name");
    const field = document.activeElement === name && !key.dataset.staffKey ? name : document.getElementById("staff-code");
    if (key.dataset.staffDigit) {
      if (field.value.length < field.maxLength) field.value += key.dataset.staffDigit;
    } else if (key.dataset.staffKey === "backspace") field.value = field.value.slice(0, -1);
    else if (key.dataset.staffKey === "clear") field.value = "";
    else this.#confirm();
  }

  #confirm() {
    const name = document.getElementById("staff-name");
    const code = document.getElementById("staff-code");
    if (!name.value.trim()) name.focus();
    else if (code.value.length !== CODE_LENGTH || /\D/.test(code.value)) code.focus();
    else {
      this.#send({ type: "staff_identified", name: name.value.trim(), code: code.value });
      code.value = "";
      code.focus();
    }
  }
}
