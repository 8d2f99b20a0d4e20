// How a page asks the resident's own bridge (kiosk-personal.v1). It never sees a 暗証番号.
"use strict";

export class Refused extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** `{ answer, cancel }`: answer is a promise of `{ certificate, signature }`, which fails with a `Refused`. */
export function identify(address, fields, expiresIn, windowOpened) {
  const socket = new WebSocket(address, "kiosk-personal.v1");
  let opened = false;
  const answer = new Promise((resolve, reject) => {
    // a socket that the page's own policy blocks says `error` and never `close`
    socket.addEventListener("error", async () => reject(new Refused(opened ? "bridge_lost" : await nameTrouble())));
    socket.addEventListener("close", () => reject(new Refused(opened ? "bridge_lost" : "bridge_missing")));
    socket.addEventListener("open", () => {
      opened = true;
      socket.send(JSON.stringify({ v: 1, type: "identify", fields, expires_in: expiresIn }));
    });
    socket.addEventListener("message", (event) => {
      const message = JSON.parse(event.data);
      if (message.type === "window_open") windowOpened();
      if (message.type === "signed") resolve(message);
      if (message.type === "failed") reject(new Refused(message.code));
    });
  });
  const cancel = () => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify({ v: 1, type: "cancel" }));
  return { answer, cancel };
}

/** The browser's own rule about programs on this computer, or nobody there: the socket looks the same. */
async function nameTrouble() {
  if (["127.0.0.1", "localhost"].includes(location.hostname)) return "bridge_missing";
  try {
    const { state } = await navigator.permissions.query({ name: "loopback-network" });
    return state === "denied" ? "browser_blocked" : "bridge_missing";
  } catch {
    return "bridge_missing";
  }
}
