// The card tray: clicks become the HTTP commands of docs/simulator.md, and /state is shown again and again. No state is kept here.
"use strict";

const reader = document.getElementById("reader");
const readerState = document.getElementById("reader-state");
const lift = document.getElementById("lift");
const homeReader = document.getElementById("home");
const homeState = document.getElementById("home-state");
const bringHome = document.getElementById("bring-home");
const liftHome = document.getElementById("lift-home");
const restore = document.getElementById("restore");
const problem = document.getElementById("problem");
const member = document.getElementById("member");
const tiles = [...document.querySelectorAll(".tile")];
let lastRefusal = 0;
let acts = 0; // begun so far
let acting = 0; // of them under way

function showProblem(text) {
  problem.textContent = text;
  problem.hidden = text === "";
}

async function send(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) {
    const content = await answer.json().catch(() => ({ error: `HTTP ${answer.status}` }));
    throw new Error(content.error);
  }
  return answer.json();
}

async function act(method, path, body) {
  acts += 1;
  acting += 1;
  try {
    await send(method, path, body);
    showProblem("");
  } catch (error) {
    lastRefusal = Date.now();
    showProblem(error instanceof TypeError ? problem.dataset.lost : problem.dataset.refused + error.message);
  } finally {
    acting -= 1;
  }
  await refresh();
}

function showTries(tile, left) {
  const place = tile.querySelector(".tries");
  if (place === null || left === undefined) return;
  place.textContent = left === 0 ? place.dataset.locked : place.dataset.words.replace("{n}", left);
  place.dataset.left = String(Math.min(left, 3));
}

function showCertificate(tile, state) {
  const place = tile.querySelector(".certificate");
  if (place === null || state === undefined) return;
  place.textContent = place.dataset[state] ?? state;
  place.dataset.state = state;
}

function show(state) {
  let name = "";
  for (const tile of tiles) {
    const id = tile.dataset.person;
    const placed = id === state.person;
    const button = tile.querySelector(".tile-card");
    button.setAttribute("aria-pressed", String(placed));
    if (placed) name = button.dataset.name;
    showTries(tile, state.tries[id]);
    showCertificate(tile, state.certificates[id]);
  }
  reader.dataset.person = state.person ?? "";
  const words = state.person === null ? readerState.dataset.empty : readerState.dataset.placed + (name || readerState.dataset.other);
  if (readerState.textContent !== words) readerState.textContent = words;
  lift.hidden = state.person === null;
  showHome(state);
  showStaff(state.staff);
  for (const kind of ["card", "ocsp"]) {
    for (const input of document.querySelectorAll(`input[name="${kind}"]`)) {
      input.checked = input.value === (state.faults[kind] ?? "");
    }
  }
}

/** The reader of the resident's own computer. */
function showHome(state) {
  const button = tiles.find((tile) => tile.dataset.person === state.home)?.querySelector(".tile-card");
  homeReader.dataset.person = state.home ?? "";
  const words = state.home === null ? homeState.dataset.empty : homeState.dataset.placed + (button?.dataset.name ?? readerState.dataset.other);
  if (homeState.textContent !== words) homeState.textContent = words;
  bringHome.hidden = state.person === null;
  liftHome.hidden = state.home === null;
}

/** The member of staff of a demo; nobody elsewhere. */
function showStaff(staff) {
  member.hidden = !staff;
  if (!staff) return;
  for (const key of ["name", "number", "code"]) {
    const place = document.getElementById(`member-${key}`);
    if (place.textContent !== staff[key]) place.textContent = staff[key];
  }
}

async function refresh() {
  const before = acting === 0 ? acts : NaN;
  try {
    const state = await send("GET", "/state");
    // what was asked for before a click was answered may not know of it, and would undo it on the page
    if (acts === before) show(state);
    if (Date.now() - lastRefusal > 6000) showProblem("");
  } catch {
    lastRefusal = Date.now();
    showProblem(problem.dataset.lost);
  }
}

for (const tile of tiles) {
  tile.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-action]");
    if (button === null) return;
    const person = tile.dataset.person;
    const action = button.dataset.action;
    if (action === "move") act("POST", `/people/${person}/move`, { address: button.dataset.address });
    else if (action !== "place") act("POST", `/people/${person}/${action}`);
    else if (reader.dataset.person === person) act("DELETE", "/reader/card");
    else act("PUT", "/reader/card", { person });
  });
}
bringHome.addEventListener("click", () => act("PUT", "/readers/home/card", { person: reader.dataset.person }));
liftHome.addEventListener("click", () => act("DELETE", "/readers/home/card"));
lift.addEventListener("click", () => act("DELETE", "/reader/card"));
restore.addEventListener("click", async () => {
  restore.disabled = true;
  const label = restore.textContent;
  await act("POST", "/restore");
  restore.textContent = restore.dataset.done;
  setTimeout(() => {
    restore.textContent = label;
    restore.disabled = false;
  }, 1500);
});
for (const group of document.querySelectorAll("fieldset[data-kind]")) {
  group.addEventListener("change", (event) => act("PUT", "/faults", { [group.dataset.kind]: event.target.value || null }));
}
async function watch() {
  if (!document.hidden) await refresh();
  setTimeout(watch, 1000);
}
watch();
