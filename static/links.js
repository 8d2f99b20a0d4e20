// The link desk: sends the form as JSON (what no other site can send) and shows the answer that the server made.

const form = document.getElementById("desk");
const answer = document.getElementById("answer");

async function send(action) {
  const fields = Object.fromEntries(new FormData(form));
  try {
    const response = await fetch(`/links/${action}?lang=${form.dataset.language}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ v: 1, ...fields }),
    });
    if (!response.ok) throw new Error(response.statusText);
    answer.innerHTML = await response.text();
  } catch {
    answer.textContent = answer.dataset.lost;
  }
  answer.scrollIntoView({ block: "nearest" });
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  send("find");
});
for (const button of form?.querySelectorAll("button[type=button]") ?? []) {
  button.addEventListener("click", () => send(button.dataset.action));
}
