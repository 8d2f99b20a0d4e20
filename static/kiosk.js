// The glue of the residents' page: puts the server's screens in place, carries messages between bridge and server, runs each command once.
// It decides nothing: what comes next is always what the server answers (docs/wire.md 8).

import { AskedReading } from "./asked.js";
import { StaffDesk } from "./attend.js";
import { BirthPicker } from "./birth.js";
import { BridgeSocket, BridgeTrouble, VERSION, encodeBase64Url } from "./bridge.js";
import { Deadline } from "./deadline.js";
import { Handover } from "./handover.js";
import { ShownItems } from "./items.js";
import { PinPad } from "./pin.js";
import { Sheet } from "./sheet.js";
import { UserNumber } from "./user_number.js";

const LOST_AFTER_MS = 5000;
const ANSWER_MS = 8000;
const RETRY_MS = 500;
const DOUBLE_TAP_MS = 400; // a second touch of the same button on the same screen within this time is not meant
const STREAM_RETRY_MS = 3000;
const TEXT_PIN = 4; // digits of the text application's PIN, and of the security code in verification code B
const NO_ENTRY = new Set([401, 403]);
const LOST = 0;
const CARD_FIRST_MS = 30;
// The head of a fragment (templates/kiosk/stage.html). No value in it has a ">": they are escaped.
const STAGE = /^\s*<section id="stage"[^>]* data-state="([a-z_]+)"[^>]* data-version="(\d+)"/;

class Kiosk {
  #main = document.getElementById("stream");
  #version = -1;
  #html = ""; // the fragment that is shown, to the letter
  #screen = "";
  #screens = 0; // how many were shown
  #commandsRun = new Set();
  #seq = 0;
  #queue = Promise.resolve();
  #underWay = []; // kinds of the events that are not answered yet
  #submitted = null; // `pin_submitted`, until the card is at work or something else has to be told
  #atReader = null; // the same for a PIN that is typed on the reader, until it was right
  #touch = null; // the last one, until a second of its kind would be meant
  #admitted = false;
  #admittedOnce = false;
  #superseded = false;
  #welcoming = false;
  #shadow = "";
  #reported = "";
  #cards = new Map(); // challenge → the card it is for
  #purpose = ""; // of the challenge under way
  #textAtReader = false; // the PIN of its text application is typed on the reader
  #text = null; // the challenge for which the card waits for a secret of its text application
  #certificate = { challenge: "", certificate: "" };
  #instance = ""; // of the card that lies there
  #streamUp = false;
  #streamConnection = null;
  #streamTimer = 0;
  #lostTimer = 0;
  #eventDropped = false;

  constructor() {
    const announce = (sentence) => this.#announce("say", sentence);
    this.deadline = new Deadline({ send: (event) => this.send(event), announce });
    this.pin = new PinPad({
      submit: (need, pin) => this.#submitPin(need, pin),
      announce,
      onActivity: () => this.deadline.noticeActivity(),
    });
    this.birth = new BirthPicker({
      submit: (need, secret) => this.#submitPin(need, secret),
      announce,
      onActivity: () => this.deadline.noticeActivity(),
      onPicked: () => this.send({ type: "text_way_chosen", way: "security" }),
    });
    this.desk = new StaffDesk({ send: (event) => this.send(event) });
    this.number = new UserNumber({
      send: (event) => this.send(event),
      onActivity: () => this.deadline.noticeActivity(),
    });
    this.bridge = new BridgeSocket({
      address: document.body.dataset.bridge,
      origin: location.origin,
      server: { hello: (body) => this.#hello(body), welcome: (body) => this.#welcome(body) },
      onReady: (answer) => this.#bridgeReady(answer),
      onMessage: (message) => this.#bridgeMessage(message),
      onTrouble: (cause, wasReady) => this.#bridgeTrouble(cause, wasReady),
    });
    this.handover = new Handover({
      post: (path, body) => this.#post(path, body),
      bridge: this.bridge,
      onActivity: () => this.deadline.noticeActivity(),
    });
    this.asked = new AskedReading({
      post: (path, body) => this.#post(path, body),
      show: (html, force) => this.#show(html, force),
    });
    this.items = new ShownItems();
    const onActivity = () => this.deadline.noticeActivity();
    this.terms = new Sheet({ dialog: "policies", name: "terms", openers: "#terms-open, [data-terms='open']", onActivity });
    this.records = new Sheet({ dialog: "held", name: "records", openers: "#records-open", onActivity, load: () => this.#loadRecords() });
    this.#listen();
    this.#entered();
    this.bridge.start();
  }

  // ---- screens ------------------------------------------------------------------------------------------------------------

  /** Puts a fragment in place, unless it or a newer one is shown. `force`: the version begins anew (a new page was verified). */
  async #show(html, force = false) {
    const head = this.#judge(html);
    if (head === null || (!force && this.#isShown(head, html))) return;
    this.#version = head.version;
    this.#html = html;
    await htmx.swap({ sourceElement: this.#main, target: this.#main, swap: "innerMorph", text: html });
    this.#entered();
  }

  /**
   * A page that proves its bridge anew becomes its own newer page: what its older stream says last is not meant for it. A page that
   * another one has superseded loses its bridge too (docs/wire.md 4); stream and socket may tell it in either order.
   */
  #isOwnShadow({ state }, html) {
    if ((!this.#welcoming && !this.bridge.ready) || state !== "superseded") return false;
    this.#shadow = html;
    return true;
  }

  /**
   * State and version of a fragment; null for anything that is not one. Once another page has taken over, its cookie speaks for this
   * one too: what is answered then is that page's screen.
   */
  #judge(html) {
    const [, state, version] = STAGE.exec(html) ?? [];
    if (this.#superseded && state !== "superseded") return null;
    return state ? { state, version: Number(version) } : null;
  }

  /** This fragment or a newer one. Answer and push bring every screen twice: the second time there is nothing to do. */
  #isShown({ version }, html) {
    return version < this.#version || html === this.#html;
  }

  #entered() {
    const stage = document.getElementById("stage");
    const { state, version, deadline, lang, textSize, commands } = stage.dataset;
    const screen = stage.dataset.screen ?? state; // a state may have several screens
    this.#version = Number(version);
    document.documentElement.lang = lang;
    document.documentElement.dataset.textSize = textSize;
    const title = document.getElementById("title");
    document.title = `${title.textContent} | ${document.body.dataset.app}`;
    this.terms.enter(state);
    this.records.enter(state);
    this.pin.enter(screen);
    this.birth.enter(screen);
    this.items.enter(state);
    this.desk.enter(state);
    this.number.enter(state);
    this.deadline.enter(state, deadline);
    this.handover.enter(state);
    if (state === "awaiting_text") this.#enterText(screen, screen !== this.#screen);
    if (screen !== this.#screen) {
      this.#screen = screen;
      this.#screens += 1;
      title.focus({ preventScroll: true });
      const words = [title, document.getElementById("lead"), ...stage.querySelectorAll("[data-say]")];
      const sentence = words.map((element) => element?.textContent.trim() ?? "").join(" ");
      this.#announce(state === "refused" || state === "out_of_service" ? "alarm" : "say", sentence);
      if (state === "superseded") {
        this.#standAside();
        this.#reachable(); // the way back is on this screen
      }
      if (state === "connecting" && this.#admitted) this.#proveAgain(); // the server has lost the session
    }
    for (const command of JSON.parse(commands)) this.#run(command);
    this.asked.enter(state);
  }

  /** The card waits for a secret of its text application: for which, says the screen. */
  #enterText(screen, fresh) {
    const choices = document.getElementById("text-choices");
    if (choices && !this.pin.keeps) {
      const { anewTitle, anewLead, anewTextOther } = choices.dataset;
      for (const [id, words] of [["title", anewTitle], ["lead", anewLead], ["text-other", anewTextOther]]) {
        document.getElementById(id).textContent = words;
      }
    }
    const same = document.getElementById("text-same");
    if (same) same.hidden = !this.pin.keeps;
    if (!fresh || this.#text === null || screen === "awaiting_text") return;
    const keypad = this.#textAtReader && screen === "awaiting_text_pin";
    const need = { challenge: this.#text, keypad, min: TEXT_PIN, max: TEXT_PIN };
    this.pin.allow(screen === "awaiting_text_security" ? { ...need, before: () => this.birth.take() } : need);
  }

  #announce(place, sentence) {
    document.getElementById(place === "say" ? "alarm" : "say").textContent = "";
    document.getElementById(place).textContent = sentence;
  }

  #run({ id, name, arguments: given }) {
    if (this.#commandsRun.has(id) || !this.bridge.ready) return;
    this.#commandsRun.add(id);
    if (name === "read_certificate") {
      this.#rememberCard(given.ticket);
      this.bridge.readCertificate(given.ticket);
    } else if (name === "authenticate") {
      this.bridge.authenticate();
    } else if (name === "confirm_last_try") {
      this.bridge.confirmLastTry();
    } else if (name === "cancel") {
      this.#forget();
      this.bridge.cancel();
    }
  }

  /** The sealed PIN names challenge and card; both are in the ticket. The bridge judges the ticket, not the page. */
  #rememberCard(ticket) {
    const claims = JSON.parse(atob(ticket.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    this.#cards.clear();
    this.#cards.set(claims.jti, claims.card);
    this.#purpose = claims.purpose;
  }

  // ---- server -------------------------------------------------------------------------------------------------------------

  /**
   * Tells the server what happened; one after the other, in this order. Only `signed` does not wait for the answer to `pin_submitted`,
   * for it says that too; should it arrive first, the server refuses the other by its number. One that is not told by then never is.
   */
  send(event) {
    if (event.type === "signed") this.#submitted = null;
    else this.#tellSubmitted();
    this.#seq += 1;
    const body = { v: VERSION, seq: this.#seq, event };
    const overtakes = event.type === "signed" && this.#underWay.every((type) => type === "pin_submitted");
    this.#underWay.push(event.type);
    const delivered = (overtakes ? this.#deliver(body) : this.#queue.then(() => this.#deliver(body)))
      .catch((error) => console.error(error.name))
      .finally(() => this.#underWay.splice(this.#underWay.indexOf(event.type), 1));
    this.#queue = Promise.all([this.#queue, delivered]);
    return delivered;
  }

  async #deliver(body) {
    const giveUpAt = performance.now() + LOST_AFTER_MS;
    for (;;) {
      if (this.#superseded) return; // the browser's cookie is the newer page's: this would be told in its name
      const answer = await this.#tell(body);
      if (NO_ENTRY.has(answer.status)) {
        this.#proveAgain();
        return;
      }
      // it met the page's own new proof: told again, now as the newest page
      const crossed = answer.getResponseHeader("Kiosk-Refusal") === "superseded" && (this.#welcoming || this.bridge.ready);
      if (answer.status !== LOST && answer.status < 500 && !crossed) {
        if (this.#streamUp && !this.#superseded) this.#reachable(); // a stream that has never gone will not say so
        await this.#show(answer.responseText);
        return;
      }
      if (!crossed) this.#noticeLoss();
      if (performance.now() > giveUpAt) {
        this.#eventDropped = true;
        this.#proveAgain(); // also while the stream has never gone: nothing else would bring the page back
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** The card first: the server and its next screen would take processors from VERIFY. Once that has begun there is time for both. */
  #tellSubmitted() {
    const event = this.#submitted;
    if (event === null) return;
    this.#submitted = null;
    this.send(event);
  }

  /** An event and its answer, whose status is LOST when none came. `fetch` would give the head first and the body several turns later. */
  #tell(body) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("POST", "/k/events");
      request.setRequestHeader("Content-Type", "application/json");
      request.timeout = ANSWER_MS;
      request.addEventListener("loadend", () => resolve(request));
      request.send(JSON.stringify(body));
    });
  }

  #post(path, body) {
    return fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  }

  /** What is held about the person of this visit: asked for by this page, and in no state. */
  async #loadRecords() {
    const response = await fetch("/k/records", { signal: AbortSignal.timeout(ANSWER_MS) });
    return response.status === 200 ? response.text() : "";
  }

  async #hello(body) {
    const response = await this.#ask("/k/bridge/hello", body);
    this.deadline.synchronise(response.headers.get("Date"));
    if (response.status === 404) throw new BridgeTrouble("terminal_revoked");
    if (!response.ok) throw new BridgeTrouble(response.status < 500 ? "bridge_untrusted" : "server_lost");
    return response.json();
  }

  async #welcome(body) {
    this.#welcoming = true;
    try {
      const response = await this.#ask("/k/bridge/welcome", { ...body, again: this.#admittedOnce });
      if (!response.ok) throw new BridgeTrouble(response.status < 500 ? "bridge_untrusted" : "server_lost");
      return await response.text();
    } finally {
      this.#welcoming = false;
    }
  }

  async #ask(path, body) {
    try {
      return await this.#post(path, body);
    } catch {
      throw new BridgeTrouble("server_lost");
    }
  }

  /** The server does not know this page (any more): the whole proof again. */
  #proveAgain() {
    if (this.#superseded) return;
    this.#admitted = false;
    this.#forget();
    this.bridge.stop();
    this.bridge.start();
  }

  // ---- bridge -------------------------------------------------------------------------------------------------------------

  async #bridgeReady({ answer }) {
    this.#admitted = true;
    this.#admittedOnce = true;
    this.#shadow = "";
    this.#reported = "";
    this.#eventDropped = false;
    this.#reachable();
    await this.#show(answer, true);
    this.#openStream();
  }

  #bridgeMessage(message) {
    const { v: _version, type, ...fields } = message;
    switch (type) {
      case "reader": {
        const isGone = fields.card === "none" || (this.#instance !== "" && fields.instance !== this.#instance);
        this.#instance = fields.instance;
        if (isGone || fields.card !== "ours") {
          this.#forget();
          this.records.close();
          this.handover.hide();
        }
        if (isGone) {
          this.terms.close();
          this.items.forget();
        }
        this.send({ type: "card_changed", ...fields }).then(() => this.asked.noticeReader());
        break;
      }
      case "progress":
        if (this.#atReader !== null) this.#noticeReader(fields.step);
        this.#tellSubmitted();
        this.#measure(fields.percent);
        break;
      case "certificate":
        this.#certificate = { challenge: fields.challenge, certificate: fields.certificate };
        this.send({ type: "certificate_read", ...fields });
        break;
      case "need_pin":
        (fields.secret === "pin" ? this.pin : this.birth).allow(fields);
        break;
      case "pin_refused":
        this.pin.allowAgain();
        this.send({ type: "pin_refused", ...fields });
        break;
      case "result":
      case "enrolment": {
        const { certificate } = this.#certificate;
        const told = type === "result" ? "signed" : "enrolment_signed";
        if (this.#purpose === "basic_four") this.pin.rest();
        else this.#forget();
        if (this.#certificate.challenge === fields.challenge) this.send({ type: told, certificate, ...fields });
        this.#certificate = { challenge: "", certificate: "" };
        break;
      }
      case "failed": {
        const { retriable: _retriable, ...rest } = fields;
        this.#forget();
        this.#certificate = { challenge: "", certificate: "" };
        const told = this.send({ type: "bridge_failed", ...rest });
        // the bridge's keys have run out, or its clock stood still while the terminal slept: a new proof brings both
        if (rest.code === "ticket_refused") told.then(() => this.#proveAgain());
        break;
      }
      case "need_text": {
        const { keypad, ...rest } = fields;
        this.#text = rest.challenge;
        this.#textAtReader = keypad;
        this.send({ type: "text_ready", ...rest });
        break;
      }
      case "basic_four":
        this.#handItems(fields);
        break;
      case "handed_over":
        this.handover.finish(fields);
        break;
      case "bad_state":
        console.warn("bridge: bad_state", fields.state);
        break;
    }
  }

  /** What the bridge sealed for this page goes to the server, which seals it to its receiver. It is kept nowhere here. */
  async #handItems(message) {
    const { challenge, counter, signature } = message;
    this.#forget();
    this.items.expect();
    const items = await this.bridge.openItems(message);
    if (items === null) this.send({ type: "bridge_failed", challenge, code: "internal", tries_left: null });
    else this.send({ type: "basic_four_read", challenge, items: encodeBase64Url(items), counter, signature });
    items?.fill(0);
  }

  /** No card waits for anything any more. */
  #forget() {
    this.#text = null;
    this.#atReader = null;
    this.pin.forget();
    this.birth.forget();
  }

  async #submitPin(need, pin) {
    const card = this.#cards.get(need.challenge);
    if (card === undefined) {
      pin.fill(0);
      return;
    }
    const submitted = { type: "pin_submitted", challenge: need.challenge };
    if (need.keypad) {
      this.#atReader = submitted;
      this.bridge.enterPinAtReader();
      return;
    }
    const entered = this.bridge.enterPin(need.challenge, card, pin);
    this.#submitted = submitted;
    setTimeout(() => this.#tellSubmitted(), CARD_FIRST_MS); // VERIFY may be held: the screen is not
    await entered;
  }

  /** While the reader waits for its keys the screen says so; with the right ones the card is at work. */
  #noticeReader(step) {
    if (step === "verifying") this.pin.noticeReader();
    if (step !== "signing") return;
    this.#submitted = this.#atReader;
    this.#atReader = null;
  }

  /** The resident says that the text application has the PIN that was typed just now. */
  #submitSame() {
    if (this.#screen !== "awaiting_text" || this.#text === null || !this.pin.keeps) return;
    this.#submitPin({ challenge: this.#text, keypad: false }, this.pin.takeKept());
  }

  async #bridgeTrouble(cause, wasReady) {
    this.#forget();
    if (cause === "superseded") {
      this.#standAside();
      await this.#showSuperseded();
      return;
    }
    if (cause === "server_lost") {
      this.#noticeLoss();
      return;
    }
    this.#reachable();
    const told = wasReady && cause === "bridge_missing" ? "bridge_lost" : cause;
    if (told === this.#reported) return;
    this.#reported = told;
    if (this.#admitted) {
      this.send({ type: "bridge_lost", cause: told });
      return;
    }
    try {
      const fragment = await this.#loadTrouble(told);
      if (!this.#admitted) await this.#show(fragment, true);
    } catch {
      this.#reported = "";
      this.#noticeLoss();
    }
  }

  /**
   * Its stream may have been down just now, and would come back as the newer page's. While its screen cannot be had, the one of the
   * lost server covers what was shown.
   */
  async #showSuperseded() {
    const html = this.#shadow || (await this.#loadTrouble("superseded").catch(() => ""));
    if (html) await this.#show(html, true);
    if (this.#screen === "superseded") return;
    this.#showLost();
    setTimeout(() => this.#showSuperseded(), STREAM_RETRY_MS);
  }

  /** The screen of a cause that the page found itself. */
  async #loadTrouble(cause) {
    const response = await fetch(`/k/trouble/${cause}`, { signal: AbortSignal.timeout(ANSWER_MS) });
    return (response.ok ? response : await fetch("/k/trouble/bridge_untrusted")).text();
  }

  /** A newer page of this terminal has taken over: no card, no stream, nothing more to say, and nothing of anybody to show. */
  #standAside() {
    this.#superseded = true;
    this.#forget();
    this.items.forget();
    this.records.close();
    this.handover.hide();
    this.bridge.stop();
    clearTimeout(this.#lostTimer);
    clearTimeout(this.#streamTimer);
  }

  /** A step that has only begun measures nothing: the bar goes on sliding. */
  #measure(percent) {
    const bar = document.getElementById("bar");
    if (!bar || percent === 0) return;
    bar.classList.add("is-measured");
    bar.firstElementChild.style.width = `${Math.max(6, percent)}%`;
  }

  // ---- the stream ---------------------------------------------------------------------------------------------------------

  #openStream() {
    clearTimeout(this.#streamTimer);
    if (this.#superseded) return;
    if (this.#streamConnection?.delayCanceller) this.#streamConnection.delayCanceller(); // it waits to reconnect: now
    else htmx.trigger(this.#main, "welcomed"); // does nothing while it is open
    this.#streamTimer = setTimeout(() => this.#streamUp || this.#openStream(), STREAM_RETRY_MS);
  }

  #streamDown() {
    this.#streamUp = false;
    this.#noticeLoss();
  }

  /** Something was not answered: if nothing is for a while, the page says that it is cut off. */
  #noticeLoss() {
    if (this.#superseded || this.#lostTimer) return;
    this.#lostTimer = setTimeout(() => this.#showLost(), LOST_AFTER_MS);
  }

  #showLost() {
    this.pin.clear();
    document.getElementById("offline").hidden = false;
    this.#main.inert = true;
    this.#announce("alarm", document.querySelector("#offline :is(h2):lang(" + document.documentElement.lang + ")").textContent);
  }

  #reachable() {
    clearTimeout(this.#lostTimer);
    this.#lostTimer = 0;
    document.getElementById("offline").hidden = true;
    this.#main.inert = false;
  }

  #streamOpened() {
    this.#streamUp = true;
    if (this.#superseded) return;
    this.#reachable();
    if (this.#eventDropped) this.#proveAgain();
  }

  // ---- listeners ----------------------------------------------------------------------------------------------------------

  #listen() {
    const on = (name, listener) => this.#main.addEventListener(name, listener);
    on("htmx:sse:before:connection", (event) => {
      this.#streamConnection = event.detail.connection;
      if (event.detail.connection.attempt > 0) this.#streamDown();
    });
    on("htmx:sse:after:connection", () => this.#streamOpened());
    on("htmx:sse:error", (event) => {
      this.#streamDown();
      if (NO_ENTRY.has(event.detail.status)) this.#proveAgain();
    });
    on("htmx:sse:close", () => {
      this.#streamConnection = null;
      this.#streamDown();
    });
    on("htmx:sse:before:message", (event) => {
      const { message } = event.detail;
      if (message.event) return;
      const head = this.#judge(message.data);
      if (head === null || this.#isShown(head, message.data) || this.#isOwnShadow(head, message.data)) event.preventDefault();
      else this.#html = message.data;
    });
    on("htmx:sse:after:message", () => this.#entered());
    on("htmx:before:swap", (event) => {
      if (this.#judge(event.detail.ctx.text ?? "") === null) event.preventDefault(); // an error page is not a screen
    });
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("click", (event) => event.target.closest?.("[data-text]") && this.#submitSame());
    document.addEventListener("securitypolicyviolation", (event) => {
      if (event.effectiveDirective === "connect-src") this.bridge.noticePolicyViolation();
    });
    for (const name of ["contextmenu", "dragstart"]) document.addEventListener(name, (event) => event.preventDefault());
    window.addEventListener("pagehide", () => this.bridge.stop());
    window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  #click(event) {
    const target = event.target.closest?.("[data-event], [data-page]");
    if (!target) return;
    if (target.dataset.page === "reload") {
      location.reload();
      return;
    }
    const touch = { told: target.dataset.event, screen: this.#screens };
    if (touch.told === this.#touch?.told && touch.screen === this.#touch.screen) return; // a double tap is one tap
    this.#touch = touch;
    const happened = JSON.parse(touch.told);
    if (happened.type === "cancelled" || happened.type === "finished") this.pin.clear();
    const forget = () => this.#touch === touch && (this.#touch = null);
    this.send(happened).finally(() => setTimeout(forget, DOUBLE_TAP_MS));
  }
}

if (location.hostname === "localhost") {
  // another program may hold [::1] under that name: one address, the literal one
  location.replace(location.href.replace("//localhost", "//127.0.0.1"));
} else {
  new Kiosk();
}
