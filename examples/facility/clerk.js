// The clerk's page: a PPID is looked up, or registered as a new user.
"use strict";

const form = document.getElementById("look-up");
const answer = document.getElementById("answer");

async function ask(path) {
  const ppid = document.getElementById("ppid").value.replace(/[\s-]/g, "").toUpperCase();
  const reply = await fetch(path, { method: "POST", body: JSON.stringify({ ppid }) });
  const { number } = await reply.json();
  if (!reply.ok) answer.textContent = "PPIDの形ではありません。";
  else answer.textContent = number === null ? "登録されていません。" : `予約システムの利用者番号: ${number}`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask("/find");
});
form.querySelector("[data-to='/register']").addEventListener("click", () => ask("/register"));

fetch("/users")
  .then((reply) => reply.json())
  .then(({ asks }) => {
    document.getElementById("visit").hidden = !asks;
    document.getElementById("quiet").hidden = asks;
  });
