// The clerk's page: a PPID is looked up, or registered as a new user; what arrives from the kiosk is shown.
"use strict";

const ENGLISH = new URLSearchParams(location.search).get("lang") === "en";

/** The words of this page's language. */
function w(ja, en) {
  return ENGLISH ? en : ja;
}

if (ENGLISH) {
  document.documentElement.lang = "en";
  for (const place of document.querySelectorAll("[data-en]")) place.textContent = place.dataset.en;
  Object.assign(document.getElementById("language"), { href: "/", lang: "ja", textContent: "日本語" });
}

const form = document.getElementById("look-up");
const answer = document.getElementById("answer");

async function ask(path) {
  const ppid = document.getElementById("ppid").value.replace(/[\s-]/g, "").toUpperCase();
  const reply = await fetch(path, { method: "POST", body: JSON.stringify({ ppid }) });
  const { number } = await reply.json();
  if (!reply.ok) answer.textContent = w("PPIDの形ではありません。", "This has not the form of a PPID.");
  else if (number === null) answer.textContent = w("登録されていません。", "Not registered.");
  else answer.textContent = w(`予約システムの利用者番号: ${number}`, `User number in the booking system: ${number}`);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask("/find");
});
form.querySelector("[data-to='/register']").addEventListener("click", () => ask("/register"));

fetch("/users")
  .then((reply) => reply.json())
  .then(({ asks }) => {
    document.getElementById("ask").hidden = !asks;
  });

// What the kiosk sealed to this system, once a second: the newest alone.
const SEX = { 1: w("男", "male"), 2: w("女", "female") };

let shown = "";

async function showNewest() {
  const reply = await fetch("/readings");
  const reading = await reply.json();
  if (!reading.count || reading.reference === shown) return;
  shown = reading.reference;
  document.getElementById("waiting").hidden = true;
  document.getElementById("reading").hidden = false;
  for (const field of ["name", "address", "reference", "number"]) document.getElementById(field).textContent = reading[field];
  document.getElementById("birth").textContent = reading.birth.replace(/^(\d{4})(\d\d)(\d\d)$/, w("$1年$2月$3日", "$1-$2-$3"));
  document.getElementById("sex").textContent = SEX[reading.sex] ?? w("適用不能", "not applicable");
  const ribbon = document.querySelector(".ribbon")?.offsetHeight ?? 0; // it stays over what is scrolled
  scrollTo({ top: document.getElementById("arrived").offsetTop - ribbon });
}

setInterval(() => showNewest().catch(() => {}), 1000);
