// The keys of the PIN screen. The characters live in one array here and nowhere else: the document gets the number of dots, the server
// nothing, the bridge a sealed block. Emptied on OK, stop, removal of the card, change of screen, loss of a connection and when the page goes.

import { Lead } from "./lead.js";

const SAME_KEY_MS = 200; // a bouncing finger; a keyboard does its own debouncing
const SCREENS = new Set(["awaiting_pin", "awaiting_text_pin", "awaiting_text_security"]);
// between the PIN that signs and the question whether the text application has the same one
const KEEPING = new Set(["awaiting_pin", "confirming_last_pin", "checking_pin", "checking", "awaiting_text"]);

export class PinPad {
  #characters = [];
  #kept = null; // a PIN that may be asked for once more, in this very visit
  #need = null;
  #state = "";
  #submitted = false;
  #early = false; // confirmed before the bridge said that it waits
  #lastTap = { key: "", at: -Infinity };
  #submit;
  #announce;
  #lead = new Lead();
  #onActivity;

  /** submit(need, Uint8Array) sends; announce(text) speaks; onActivity() tells that somebody is typing. */
  constructor({ submit, announce, onActivity }) {
    this.#submit = submit;
    this.#announce = announce;
    this.#onActivity = onActivity;
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("keydown", (event) => this.#keydown(event));
    // a tap on a key must not move the focus: Enter on a keyboard would press that key again
    document.addEventListener("mousedown", (event) => event.target.closest?.(".key") && event.preventDefault());
    window.addEventListener("pagehide", () => this.forget());
  }

  /**
   * The bridge holds a card and waits: {challenge, min, max, keypad}. `keypad`: the reader has the keys, these here do nothing. The screen
   * may have come first: what was typed on it since then counts.
   */
  allow(need) {
    const typed = this.#need === null && !need.keypad && this.#characters.length > 0;
    this.#need = need;
    if (!typed) return this.allowAgain();
    this.#forgetKept();
    this.#place("screen");
    if (this.#early) this.#confirm();
  }

  /** The card said no; the same challenge goes on. */
  allowAgain() {
    const atReader = this.#need?.keypad ?? false;
    this.#submitted = atReader;
    this.clear();
    this.#place(atReader ? "reader" : "screen");
    if (atReader) this.#submit(this.#need, new Uint8Array(0)); // the reader waits for its keys as soon as the bridge lets it
  }

  /** The reader takes its keys now. */
  noticeReader() {
    this.#place("reader-now");
    this.#announce(document.getElementById("reader-now")?.textContent.trim() ?? "");
  }

  /** No card waits any more. */
  forget() {
    this.rest();
    this.clear();
  }

  /** The card has signed, and the basic 4 information comes next: what was typed may serve once more. */
  rest() {
    this.#need = null;
    this.#submitted = false;
    this.#place("");
    this.#empty();
  }

  /** Where the keys are, "" while no card waits for a PIN: the screens of the PIN show themselves accordingly. */
  #place(keypad) {
    document.body.dataset.keypad = keypad;
  }

  clear() {
    this.#forgetKept();
    this.#empty();
  }

  #forgetKept() {
    this.#kept?.fill(0);
    this.#kept = null;
  }

  #empty() {
    this.#early = false;
    this.#characters.fill("");
    this.#characters.length = 0;
    this.#show();
  }

  get keeps() {
    return this.#kept !== null;
  }

  /** What was typed before, for one use. */
  takeKept() {
    const kept = this.#kept;
    this.#kept = null;
    return kept;
  }

  /** Called after every screen; a push within the same screen keeps what was typed. */
  enter(screen) {
    if (screen !== this.#state) {
      this.#state = screen;
      if (KEEPING.has(screen)) this.#empty();
      else this.clear();
    }
    this.#show();
  }

  get #active() {
    if (document.getElementById("idle")?.open === true || document.getElementById("offline")?.hidden === false) return false;
    return SCREENS.has(this.#state) && !this.#submitted;
  }

  get #maximum() {
    return this.#need?.max ?? 4;
  }

  #click(event) {
    const key = event.target.closest?.("[data-digit], [data-key]");
    if (!key || !this.#active) return;
    const name = key.dataset.digit ?? key.dataset.key;
    const tapped = event.detail > 0; // 0: pressed with a keyboard
    if (tapped && name === this.#lastTap.key && event.timeStamp - this.#lastTap.at < SAME_KEY_MS) return;
    this.#lastTap = { key: name, at: event.timeStamp };
    if (key.dataset.digit) this.#type(name);
    else if (name === "backspace") this.#backspace();
    else if (name === "clear") this.#clearAndSay();
    else if (name === "confirm") this.#confirm();
  }

  #keydown(event) {
    if (!this.#active || event.ctrlKey || event.altKey || event.metaKey) return;
    const character = this.#character(event);
    if (character) {
      event.preventDefault();
      if (event.repeat) return;
      document.getElementById("pin-field")?.focus({ preventScroll: true });
      this.#type(character);
    } else if (event.key === "Backspace") {
      event.preventDefault();
      this.#backspace();
    } else if (event.key === "Enter" && !event.repeat) {
      const focused = document.activeElement;
      if (focused instanceof HTMLButtonElement) return; // Enter presses the button that has the focus
      event.preventDefault();
      this.#confirm();
    } else if (event.key === "Escape") {
      event.preventDefault();
      document.getElementById("stop")?.click();
    }
  }

  /** The character of a key: full-width and lower case letters are the same keys. "" for any other key. */
  #character(event) {
    let key = event.key;
    if (event.isComposing || key === "Process") key = /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1] ?? "";
    if ([...key].length !== 1) return "";
    const plain = key.normalize("NFKC").toUpperCase();
    return (this.#maximum > 4 ? /^[0-9A-Z]$/ : /^[0-9]$/).test(plain) ? plain : "";
  }

  #type(character) {
    this.#onActivity();
    this.#early = false;
    if (this.#characters.length >= this.#maximum) return;
    this.#characters.push(character);
    this.#show();
    this.#say("entered", this.#characters.length);
  }

  #backspace() {
    this.#onActivity();
    this.#early = false;
    if (this.#characters.length === 0) return;
    this.#characters[this.#characters.length - 1] = "";
    this.#characters.pop();
    this.#show();
    this.#say("entered", this.#characters.length);
  }

  #clearAndSay() {
    this.#onActivity();
    this.clear();
    this.#say("cleared");
  }

  #confirm() {
    const need = this.#need;
    if (!this.#active) return;
    if (need === null) {
      this.#early = true;
      return;
    }
    if (this.#characters.length < need.min) {
      this.#lead.show(this.#say("short", need.min - this.#characters.length));
      return;
    }
    const before = need.before?.(); // what goes before these digits: the rest of verification code B
    if (before === "") return;
    const pin = Uint8Array.from([...(before ?? ""), ...this.#characters], (character) => character.charCodeAt(0));
    this.#submitted = true;
    this.clear();
    if (document.getElementById("pin-field")?.dataset.keep) this.#kept = pin.slice();
    this.#submit(need, pin);
  }

  /** What is said comes from the screen, in its language; never a digit. */
  #say(kind, count) {
    const sentence = document.getElementById("pin-field")?.dataset[kind];
    const said = sentence?.replace("{count}", count) ?? "";
    if (said) this.#announce(said);
    return said;
  }

  #show() {
    this.#lead.recall();
    const dots = document.getElementById("pin-dots");
    if (!dots) return;
    const count = this.#characters.length;
    const slots = this.#maximum > 4 ? Math.max(4, count) : 4;
    while (dots.childElementCount > slots) dots.lastElementChild.remove();
    while (dots.childElementCount < slots) {
      const dot = document.createElement("span");
      dot.className = "dot";
      dots.append(dot);
    }
    dots.classList.toggle("pin__dots--many", slots > 4);
    [...dots.children].forEach((dot, index) => dot.classList.toggle("is-filled", index < count));
  }
}
