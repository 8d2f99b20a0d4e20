// The staff page: says so when the stream is lost, announces a new help call once, begins anew where no stream began.

const LOST_AFTER_MS = 5000;
const AGAIN_AFTER_MS = 5000;
const stream = document.getElementById("stream");
const lost = document.getElementById("lost");
const alarm = document.getElementById("alarm");
const title = document.title;
let timer = 0;
let called = new Set();

function down() {
  timer ||= setTimeout(() => {
    lost.textContent = lost.dataset.text;
    stream.classList.add("is-stale");
  }, LOST_AFTER_MS);
}

function up() {
  clearTimeout(timer);
  timer = 0;
  lost.textContent = "";
  stream.classList.remove("is-stale");
}

// Only a stream that began comes back by itself.
function beginAnew() {
  down();
  setTimeout(async () => {
    const asked = new AbortController();
    const answer = await fetch(stream.getAttribute("hx-sse:connect"), { signal: asked.signal }).catch(() => null);
    const begins = answer?.headers.get("Content-Type")?.startsWith("text/event-stream");
    asked.abort();
    if (begins) location.reload();
    else beginAnew();
  }, AGAIN_AFTER_MS);
}

function announceCalls() {
  const calls = new Map(
    [...document.querySelectorAll('[data-help="true"]')].map((row) => [
      row.dataset.name,
      `${row.dataset.name}: ${row.querySelector(".terminal__help").textContent}`,
    ]),
  );
  const fresh = [...calls].filter(([name]) => !called.has(name)).map(([, sentence]) => sentence);
  if (fresh.length) alarm.textContent = fresh.join(" ");
  called = new Set(calls.keys());
  document.title = calls.size ? `(${calls.size}) ${title}` : title;
}

stream.addEventListener("htmx:sse:before:connection", (event) => event.detail.connection.attempt > 0 && down());
stream.addEventListener("htmx:sse:error", down);
stream.addEventListener("htmx:sse:close", down);
stream.addEventListener("htmx:sse:after:connection", up);
stream.addEventListener("htmx:sse:after:message", announceCalls);
stream.addEventListener("htmx:error", (event) => event.detail.ctx && beginAnew());
stream.addEventListener("htmx:before:swap", (event) => {
  if ((event.detail.ctx.text ?? "").includes('id="terminals"')) return;
  event.preventDefault(); // an error page is no board
  beginAnew();
});
announceCalls();
