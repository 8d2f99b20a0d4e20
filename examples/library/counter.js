// The counter page: a number comes from keys or from the barcode reader, and its reader's loans are shown.
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

const field = document.getElementById("number");
const message = document.getElementById("message");
const reader = document.getElementById("reader");
const KEY_MILLISECONDS = 35;
let turn = 0;

function say(text, kind = "") {
  message.textContent = text;
  message.dataset.kind = kind;
}

async function lookUp(number) {
  reader.hidden = true;
  const answer = await fetch(`/readers/${encodeURIComponent(number)}`);
  if (answer.status === 404) {
    say(w(`${number} は登録されていません。`, `${number} is nobody's number.`), "unknown");
    return;
  }
  const found = await answer.json();
  document.getElementById("name").textContent = found.name;
  document.getElementById("loans").replaceChildren(...found.loans.map((loan) => {
    const row = document.createElement("tr");
    for (const text of [loan.title, loan.due]) {
      row.append(Object.assign(document.createElement("td"), { textContent: text }));
    }
    return row;
  }));
  document.getElementById("counts").textContent = w(
    `貸出中 ${found.loans.length} 冊　予約 ${found.reserved} 件`,
    `On loan: ${found.loans.length}, reserved: ${found.reserved}`,
  );
  reader.hidden = false;
  say(w("照会しました。", "Found."));
}

// As from a keyboard: one character after the other, then Enter.
function typeNumber(number) {
  const mine = ++turn;
  field.value = "";
  const next = (place) => {
    if (mine !== turn) return;
    if (place === number.length) {
      lookUp(number);
      return;
    }
    field.value += number[place];
    setTimeout(next, KEY_MILLISECONDS, place + 1);
  };
  next(0);
}

document.getElementById("look-up").addEventListener("submit", (event) => {
  event.preventDefault();
  turn += 1;
  if (field.value.trim()) lookUp(field.value.trim());
});

document.getElementById("clear").addEventListener("click", () => {
  turn += 1;
  field.value = "";
  reader.hidden = true;
  say(w("バーコードを読み取るか、番号を入力してください。", "Scan a barcode or type a number."));
  field.focus();
});

if (window === window.top) field.focus();
new EventSource("/scans").onmessage = (event) => typeNumber(event.data);
