// The demo desk: buttons prepare a step, and /progress is asked again and again. What was reached is never decided here.
"use strict";

const WATCH_MILLISECONDS = 500;
const list = document.querySelector(".steps");
const lost = document.getElementById("lost");
const code = document.getElementById("attendant-code");
const attended = document.getElementById("attended");

function show(progress) {
  lost.textContent = progress.watching ? "" : lost.dataset.text;
  for (const number of progress.reached) {
    const step = document.getElementById(`step-${number}`);
    if (step.dataset.state === "reached") continue;
    step.dataset.state = "reached";
    step.querySelector(".step-mark").textContent = list.dataset.reached;
    if (step.dataset.prepared === "true") reveal(step);
  }
  const trio = document.getElementById("step-9");
  trio.dataset.seen = String(progress.trio);
  if (trio.dataset.state === "open" && progress.trio > 0) trio.querySelector(".step-mark").textContent = `${progress.trio} / 3`;
  if (code === null) return;
  if (code.textContent !== progress.code) code.textContent = progress.code;
  const words = progress.attended ? attended.dataset.on : attended.dataset.off;
  if (attended.textContent !== words) attended.textContent = words;
}

/** All of a step within the list, without moving the page. */
function reveal(step) {
  list.scrollBy(0, Math.max(0, step.getBoundingClientRect().bottom - list.getBoundingClientRect().bottom));
}

async function watch() {
  try {
    show(await (await fetch("/progress")).json());
  } catch {
    lost.textContent = lost.dataset.text;
  }
  setTimeout(watch, WATCH_MILLISECONDS);
}

list.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (button === null) return;
  const step = button.closest(".step");
  const answer = await fetch(`/steps/${step.dataset.step}`, { method: "POST" }).catch(() => null);
  const prepared = answer !== null && answer.ok;
  if (prepared) step.querySelector("details").open = true; // which closes the others
  for (const other of list.children) other.dataset.prepared = String(other === step && prepared);
  if (!prepared) return;
  reveal(step);
  if ((await answer.json()).home) document.querySelector(".panel--homepage")?.scrollIntoView({ block: "nearest" });
});

watch();
