// The socket to the bridge (docs/wire.md 4 to 6): proves who is on the other side, seals the PIN, notices when nobody answers.
// It knows neither the document nor the session: what a message means is decided by the server, through kiosk.js.

export const VERSION = 1;
export const SUBPROTOCOL = "kiosk-card.v1";

const MAXIMUM_LENGTH = 8192;
const OPENING_MS = 5000; // a bridge that says nothing for so long is not there
const BLOCKED_WITHIN_MS = 250; // the browser's own refusal comes at once (measured: 4 to 10 ms)
const CLOSE_AFTER_ERROR_MS = 100; // a socket blocked by the page's policy gets `error` and never `close`
const PING_MS = 5000;
const MISSES = 2;
const BACKOFF_MS = [250, 500, 1000, 2000, 3000];
const CLOSE_REFUSED = new Set([4400, 4401]);
const CLOSE_SUPERSEDED = 4409;
const CLOSE_OUTDATED = 4426;

const text = new TextEncoder();

/** Why there is no working bridge. `cause` is a name of docs/codes.md. */
export class BridgeTrouble extends Error {
  constructor(cause) {
    super(cause);
    this.cause = cause;
  }
}

// ---- bytes ----------------------------------------------------------------------------------------------------------------

export function encodeBase64Url(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Throws for anything but the one canonical spelling. */
export function decodeBase64Url(value) {
  if (typeof value !== "string" || !/^[A-Za-z0-9_-]*$/.test(value)) throw new SyntaxError("not base64url");
  const binary = atob(value.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (encodeBase64Url(bytes) !== value) throw new SyntaxError("not base64url");
  return bytes;
}

/** A prefix, then each field as a two-byte big-endian length and its bytes; text as UTF-8. */
export function buildFields(prefix, ...fields) {
  const parts = [text.encode(prefix)];
  for (const field of fields) {
    const bytes = field instanceof Uint8Array ? field : text.encode(String(field));
    parts.push(Uint8Array.of(bytes.length >> 8, bytes.length & 255), bytes);
  }
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

// ---- messages -------------------------------------------------------------------------------------------------------------

const isText = (value) => typeof value === "string";
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const isFlag = (value) => typeof value === "boolean";
const isBytes = (length) => (value) => {
  const bytes = decodeBase64Url(value);
  return length === 0 ? bytes.length > 0 : bytes.length === length;
};
const oneOf = (...words) => (value) => words.includes(value);

const MESSAGES = {
  greeting: { terminal: isText, bridge_nonce: isBytes(0), version: isText },
  welcome: { bridge_key: isBytes(32), signature: isBytes(64), keypad: isFlag },
  reader: {
    reader: oneOf("ready", "missing", "service_down", "denied", "busy"),
    card: oneOf("none", "ours", "unknown", "mute"),
    instance: isText,
  },
  progress: { step: oneOf("reading", "verifying", "signing"), percent: (value) => isCount(value) && value <= 100 },
  certificate: {
    challenge: isText,
    certificate: isBytes(0),
    tries_left: isCount,
    counter: isCount,
    signature: isBytes(64),
  },
  need_pin: {
    challenge: isText,
    tries_left: isCount,
    keypad: isFlag,
    min: isCount,
    max: isCount,
    confirm: isFlag,
    secret: oneOf("pin", "birth_key"),
  },
  pin_refused: { challenge: isText, tries_left: isCount },
  result: { challenge: isText, card_signature: isBytes(0), counter: isCount, signature: isBytes(64) },
  enrolment: {
    challenge: isText,
    card_signature: isBytes(0),
    record: isBytes(0),
    issuer: isBytes(0),
    counter: isCount,
    signature: isBytes(64),
  },
  need_text: { challenge: isText, pin_tries_left: isCount, code_tries_left: isCount, keypad: isFlag },
  basic_four: { challenge: isText, data: isBytes(0), counter: isCount, signature: isBytes(64) },
  failed: {
    challenge: isText,
    code: isText,
    retriable: isFlag,
    tries_left: (value) => value === null || isCount(value),
  },
  handed_over: { output: isText, code: isText, sent: isCount },
  bad_state: { seq: isCount, state: isText },
  pong: { seq: isCount },
};

/** One message of the bridge. Throws SyntaxError for anything else: an unknown field is a refusal. */
export function parseMessage(data) {
  if (typeof data !== "string" || data.length > MAXIMUM_LENGTH) throw new SyntaxError("not a message");
  const message = JSON.parse(data);
  if (message === null || typeof message !== "object" || Array.isArray(message)) throw new SyntaxError("not an object");
  if (message.v !== VERSION) throw new BridgeTrouble("bridge_outdated");
  const fields = Object.hasOwn(MESSAGES, message.type) ? MESSAGES[message.type] : null;
  if (fields === null) throw new SyntaxError("unknown type");
  if (Object.keys(message).length !== Object.keys(fields).length + 2) throw new SyntaxError("missing or unknown field");
  for (const [name, judge] of Object.entries(fields)) {
    if (!Object.hasOwn(message, name) || !judge(message[name])) throw new SyntaxError(`malformed ${name}`);
  }
  return message;
}

// ---- the socket -----------------------------------------------------------------------------------------------------------

/**
 * Keeps one verified connection to the bridge and makes it anew when it ends, for ever.
 *
 * address    ws://127.0.0.1:PORT/card
 * origin     the page's own origin
 * server     {hello(body) → {ticket, keys, terminal_key}, welcome(body) → anything}; they throw BridgeTrouble
 * onReady    ({keypad, answer}) after both sides are proven; answer is what server.welcome gave
 * onMessage  (message) every later message
 * onTrouble  (cause, wasReady) once per failed attempt or lost connection
 */
export class BridgeSocket {
  #address;
  #dialled;
  #origin;
  #server;
  #onReady;
  #onMessage;
  #onTrouble;
  #connection = null;
  #failures = 0;
  #timer = 0;
  #stopped = true;
  #policyViolated = false;

  constructor({ address, origin, server, onReady, onMessage, onTrouble }) {
    const url = new URL(address);
    if (url.protocol !== "ws:" || url.hostname !== "127.0.0.1" || !url.port) {
      throw new TypeError("the bridge is dialled on 127.0.0.1 alone");
    }
    this.#address = address;
    this.#dialled = url.host;
    this.#origin = origin;
    this.#server = server;
    this.#onReady = onReady;
    this.#onMessage = onMessage;
    this.#onTrouble = onTrouble;
  }

  start() {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#connect();
  }

  /** Says goodbye and stays closed. */
  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const connection = this.#connection;
    this.#connection = null;
    connection?.end();
  }

  /** The page's policy blocked a connection: told by kiosk.js, for the socket itself does not say so. */
  noticePolicyViolation() {
    this.#policyViolated = true;
  }

  get ready() {
    return this.#connection?.ready ?? false;
  }

  readCertificate(ticket) {
    return this.#say("read_certificate", { ticket });
  }

  authenticate() {
    return this.#say("authenticate");
  }

  confirmLastTry() {
    return this.#say("confirm_last_try");
  }

  handOver(ticket) {
    return this.#say("hand_over", { ticket });
  }

  cancel() {
    return this.#say("cancel");
  }

  /**
   * Seals the characters in `pin` (ASCII codes) for the bridge and sends them; `pin` is overwritten with zeros. `challenge` and
   * `card` are those of the challenge that is being answered. Returns whether it was sent.
   */
  async enterPin(challenge, card, pin) {
    try {
      return (await this.#connection?.enterPin(challenge, card, pin)) ?? false;
    } finally {
      pin.fill(0);
    }
  }

  /** The basic 4 information that the bridge sealed for this page, as bytes; null for what does not open. */
  async openItems(message) {
    return (await this.#connection?.openItems(message)) ?? null;
  }

  /** The PIN is typed on the reader's own keypad. */
  enterPinAtReader() {
    return this.#say("enter_pin", { iv: "", data: "" });
  }

  #say(type, fields = {}) {
    return this.#connection?.say(type, fields) ?? false;
  }

  async #connect() {
    this.#policyViolated = false;
    const connection = new Connection({
      address: this.#address,
      dialled: this.#dialled,
      origin: this.#origin,
      server: this.#server,
      onMessage: (message) => this.#connection === connection && this.#onMessage(message),
    });
    this.#connection = connection;
    let cause;
    try {
      const answer = await connection.open();
      if (this.#connection !== connection) return;
      this.#failures = 0;
      this.#onReady(answer);
      cause = await connection.ended;
    } catch (error) {
      cause = error instanceof BridgeTrouble ? error.cause : "bridge_untrusted";
    }
    const wasReady = connection.ready;
    connection.end();
    if (this.#stopped || this.#connection !== connection) return;
    this.#connection = null;
    if (cause === "bridge_missing" && !connection.opened) cause = await this.#diagnose(connection);
    if (cause === "superseded") this.#stopped = true;
    this.#onTrouble(cause, wasReady);
    if (this.#stopped) return;
    const delay = BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)];
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#connect(), delay);
  }

  /** All of these look the same to the socket: nobody there, our own policy, the browser's local network rule. */
  async #diagnose(connection) {
    if (this.#policyViolated) return "policy_blocked";
    const host = new URL(this.#origin).hostname;
    if (/^127\.|^localhost$|^\[::1\]$/.test(host) || connection.failedAfter > BLOCKED_WITHIN_MS) return "bridge_missing";
    for (const name of ["loopback-network", "local-network-access"]) {
      try {
        const permission = await navigator.permissions.query({ name });
        return permission.state === "granted" ? "bridge_missing" : "browser_blocked";
      } catch {
        // this browser does not know the name
      }
    }
    return "bridge_missing";
  }
}

/** One connection from the first byte to the last. */
class Connection {
  opened = false;
  ready = false;
  failedAfter = Infinity;
  ended;

  #options;
  #socket = null;
  #end;
  #waiting = null;
  #seq = 0;
  #held = null; // what waits while a PIN is being sealed: `seq` must rise on the wire too
  #key = null; // for the PIN
  #itemsKey = null;
  #pinging = 0;
  #missed = 0;

  constructor(options) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** The whole opening of docs/wire.md 4. Throws BridgeTrouble. */
  async open() {
    const { address, dialled, origin, server } = this.#options;
    const pair = await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
    const pageKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
    await this.#dial(address);
    this.#send({ v: VERSION, type: "open", page_key: encodeBase64Url(pageKey) });
    const greeting = await this.#next("greeting");
    const allowed = await server.hello({
      v: VERSION,
      terminal: greeting.terminal,
      bridge_nonce: greeting.bridge_nonce,
      page_key: encodeBase64Url(pageKey),
      address: dialled,
    });
    this.#send({ v: VERSION, type: "hello", ticket: allowed.ticket, keys: allowed.keys });
    const welcome = await this.#next("welcome");
    const bridgeKey = decodeBase64Url(welcome.bridge_key);
    const signed = buildFields(
      "kiosk-welcome/1\0",
      await sha256(text.encode(allowed.ticket)),
      greeting.terminal,
      origin,
      dialled,
      decodeBase64Url(greeting.bridge_nonce),
      pageKey,
      bridgeKey,
    );
    const terminalKey = await crypto.subtle.importKey("raw", decodeBase64Url(allowed.terminal_key), "Ed25519", false, ["verify"]);
    if (!(await crypto.subtle.verify("Ed25519", terminalKey, decodeBase64Url(welcome.signature), signed))) {
      throw new BridgeTrouble("bridge_untrusted");
    }
    const salt = await sha256(signed);
    this.#key = await this.#deriveKey(pair.privateKey, bridgeKey, salt, "kiosk-pin/1", "encrypt");
    this.#itemsKey = await this.#deriveKey(pair.privateKey, bridgeKey, salt, "kiosk-items/1", "decrypt");
    const answer = await server.welcome({
      v: VERSION,
      ticket: allowed.ticket,
      bridge_key: welcome.bridge_key,
      signature: welcome.signature,
    });
    this.ready = true;
    this.say("watch");
    this.#pinging = setInterval(() => this.#ping(), PING_MS);
    return { keypad: welcome.keypad, answer };
  }

  say(type, fields = {}) {
    if (!this.ready) return false;
    if (this.#held !== null) {
      this.#held.push([type, fields]);
      return true;
    }
    this.#seq += 1;
    return this.#send({ v: VERSION, type, seq: this.#seq, ...fields });
  }

  async enterPin(challenge, card, pin) {
    if (!this.ready) return false;
    this.#seq += 1;
    const seq = this.#seq; // taken before the first wait: the sealed PIN is bound to it
    this.#held = [];
    const block = new Uint8Array(16);
    block.set(pin);
    const iv = crypto.getRandomValues(new Uint8Array(12));
    try {
      const additionalData = buildFields("kiosk-pin/1\0", challenge, card, seq);
      const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, this.#key, block);
      return this.#send({
        v: VERSION,
        type: "enter_pin",
        seq,
        iv: encodeBase64Url(iv),
        data: encodeBase64Url(new Uint8Array(data)),
      });
    } finally {
      block.fill(0);
      const held = this.#held;
      this.#held = null;
      for (const [type, fields] of held ?? []) this.say(type, fields);
    }
  }

  end() {
    clearInterval(this.#pinging);
    this.#held = null;
    if (this.ready && this.#socket?.readyState === WebSocket.OPEN) this.say("bye");
    this.ready = false;
    this.#key = null;
    this.#itemsKey = null;
    this.#socket?.close();
    this.#finish("bridge_missing");
  }

  async openItems({ challenge, counter, data }) {
    const iv = new Uint8Array(12);
    new DataView(iv.buffer).setBigUint64(4, BigInt(counter));
    try {
      const additionalData = buildFields("kiosk-items/1\0", challenge, counter);
      const items = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, this.#itemsKey, decodeBase64Url(data));
      return new Uint8Array(items);
    } catch {
      return null;
    }
  }

  async #deriveKey(privateKey, bridgeKey, salt, info, use) {
    const publicKey = await crypto.subtle.importKey("raw", bridgeKey, { name: "X25519" }, false, []);
    const shared = await crypto.subtle.deriveBits({ name: "X25519", public: publicKey }, privateKey, 256);
    const material = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
    return crypto.subtle.deriveKey(
      { name: "HKDF", hash: "SHA-256", salt, info: text.encode(info) },
      material,
      { name: "AES-GCM", length: 256 },
      false,
      [use],
    );
  }

  #dial(address) {
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new BridgeTrouble("bridge_missing")), OPENING_MS);
      const fail = () => {
        clearTimeout(timer);
        this.failedAfter = Math.min(this.failedAfter, performance.now() - began);
        reject(new BridgeTrouble("bridge_missing"));
      };
      let socket;
      try {
        socket = new WebSocket(address, SUBPROTOCOL);
      } catch {
        fail();
        return;
      }
      this.#socket = socket;
      socket.addEventListener("open", () => {
        clearTimeout(timer);
        this.opened = true;
        resolve();
      });
      socket.addEventListener("error", () => {
        this.failedAfter = performance.now() - began;
        setTimeout(fail, CLOSE_AFTER_ERROR_MS);
      });
      socket.addEventListener("close", (event) => {
        fail();
        this.#finish(this.#judgeClose(event.code));
      });
      socket.addEventListener("message", (event) => this.#receive(event.data));
    });
  }

  #judgeClose(code) {
    if (code === CLOSE_SUPERSEDED) return "superseded";
    if (code === CLOSE_OUTDATED) return "bridge_outdated";
    if (CLOSE_REFUSED.has(code)) return "bridge_refused";
    return this.ready || !this.opened ? "bridge_missing" : "bridge_refused";
  }

  #receive(data) {
    let message;
    try {
      message = parseMessage(data);
    } catch (error) {
      this.#finish(error instanceof BridgeTrouble ? error.cause : "bridge_untrusted");
      this.#socket.close();
      return;
    }
    if (message.type === "pong") {
      this.#missed = 0;
    } else if (this.#waiting?.type === message.type) {
      this.#waiting.resolve(message);
      this.#waiting = null;
    } else if (this.ready) {
      this.#options.onMessage(message);
    } else {
      this.#finish("bridge_untrusted"); // a word that has no place before the welcome
      this.#socket.close();
    }
  }

  /** The next message, which has to be of this type, within the time for opening. */
  async #next(type) {
    const message = await Promise.race([
      new Promise((resolve) => {
        this.#waiting = { type, resolve };
      }),
      this.ended,
      new Promise((resolve) => setTimeout(resolve, OPENING_MS, "bridge_untrusted")),
    ]);
    if (typeof message === "string") throw new BridgeTrouble(message);
    return message;
  }

  #ping() {
    if (this.#missed >= MISSES) {
      this.#finish("bridge_missing");
      this.#socket.close();
      return;
    }
    this.#missed += 1;
    this.say("ping");
  }

  #send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #finish(cause) {
    this.#end(cause);
  }
}
