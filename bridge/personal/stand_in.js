// Stands for the bridge's own window in a demo: shows what the window would say, and sends what is done there.
"use strict";

const at = (id) => document.getElementById(id);
let language = new URLSearchParams(location.search).get("lang") === "en" ? "en" : "ja";
let shown = { step: "closed" };
let socket = null;

function draw(fresh) {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-ja]")) element.textContent = element.dataset[language];
  document.body.dataset.step = shown.step;
  at("closed").hidden = shown.step !== "closed";
  at("window").hidden = shown.step === "closed";
  if (shown.step === "closed") return;
  const face = shown[language];
  at("origin-label").textContent = face.origin_label;
  at("origin").textContent = shown.origin;
  at("system").textContent = face.system_label;
  at("language").textContent = face.other_language;
  at("heading").textContent = face.heading;
  at("alert").textContent = face.alert;
  at("lines").replaceChildren(...face.lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
  at("field").hidden = face.field === "";
  at("typed-label").textContent = face.field;
  at("typed").maxLength = shown.maximum;
  at("primary").textContent = face.primary;
  at("secondary").textContent = face.secondary;
  if (!fresh) return;
  at("typed").value = "";
  (face.field === "" ? at("heading") : at("typed")).focus();
}

function act(action) {
  socket.send(JSON.stringify(action));
}

function goOn() {
  if (shown.step === "asking") act({ act: "agree" });
  if (shown.step === "last_try") act({ act: "confirm" });
  if (shown.step !== "pin") return;
  act({ act: "pin", pin: at("typed").value.normalize("NFKC") });
  at("typed").value = "";
}

function connect() {
  socket = new WebSocket(`ws://${location.host}/window`, "kiosk-personal-stand-in.v1");
  socket.addEventListener("message", (event) => {
    shown = JSON.parse(event.data);
    draw(true);
  });
  socket.addEventListener("close", () => setTimeout(connect, 1000));
}

at("primary").addEventListener("click", goOn);
at("secondary").addEventListener("click", () => act({ act: "decline" }));
at("language").addEventListener("click", () => {
  language = language === "ja" ? "en" : "ja";
  draw(false);
});
at("typed").addEventListener("keydown", (event) => {
  if (event.key === "Enter") goOn();
});
connect();
