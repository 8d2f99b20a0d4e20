// The button「マイページにログイン」: challenge from our server, signature from the resident's bridge, verdict from our server.
"use strict";

import { identify, Refused } from "/personal.js";

const WORDS = {
  bridge_missing: "パソコンのカード読み取りプログラムが見つかりません。起動してから、もう一度お試しください。",
  browser_blocked: "ブラウザーが、このパソコンのプログラムへの接続を止めています。アドレスバーの左の設定で許可してください。",
  bridge_lost: "カード読み取りプログラムとの接続が切れました。もう一度お試しください。",
  busy: "カード読み取りプログラムが、ほかのページの本人確認をしています。",
  cancelled: "ログインをやめました。",
  challenge_expired: "時間が過ぎました。もう一度お試しください。",
  too_many_requests: "続けて何度も求められたため、しばらく待つ必要があります。",
  card_removed: "カードが離れました。もう一度お試しください。",
  pin_locked: "暗証番号がロックされています。市民課の窓口で初期化できます。",
  pin_tries_used: "暗証番号が違いました。番号を確かめてから、もう一度お試しください。",
  revoked: "この電子証明書はお使いいただけません。市民課の窓口でご確認ください。",
  on_hold: "この電子証明書は一時停止中です。",
  expired: "電子証明書の有効期間が過ぎています。市民課の窓口で更新できます。",
  unknown: "有効性を確認できませんでした。時間をおいて、もう一度お試しください。",
  unavailable: "有効性を確認できませんでした。時間をおいて、もう一度お試しください。",
  stale: "有効性を確認できませんでした。時間をおいて、もう一度お試しください。",
};
const OTHERWISE = "ログインできませんでした。もう一度お試しください。";

const login = document.getElementById("login");
const stop = document.getElementById("stop");
const state = document.getElementById("state");

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const content = await answer.json();
  if (!answer.ok) throw new Refused(content.code);
  return content;
}

function show(text, trouble = "") {
  state.textContent = text;
  state.dataset.trouble = trouble;
}

async function signIn() {
  const { fields, expires_in: expiresIn } = await post("/login/challenge", {});
  const asked = identify(login.dataset.bridge, fields, expiresIn, () => {
    show("カード読み取りプログラムの窓が開きました。窓に出ているページの名前を確かめて、続けてください。");
    stop.hidden = false;
  });
  stop.onclick = asked.cancel;
  const { certificate, signature } = await asked.answer;
  stop.hidden = true;
  show("確認しています。");
  const { outcome, reference } = await post("/login/answer", { certificate, signature });
  if (outcome === "good") location.assign("/mypage");
  else show(`${WORDS[outcome] ?? OTHERWISE}（受付番号 ${reference}）`, outcome);
}

login?.addEventListener("click", async () => {
  login.disabled = true;
  show("カード読み取りプログラムを呼び出しています。");
  try {
    await signIn();
  } catch (error) {
    const code = error instanceof Refused ? error.code : "broken";
    show(WORDS[code] ?? OTHERWISE, code);
  }
  stop.hidden = true;
  login.disabled = false;
});
