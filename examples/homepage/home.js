// The button「マイページにログイン」: challenge from our server, signature from the resident's bridge, verdict from our server.
"use strict";

import { identify, Refused } from "/personal.js";

const ENGLISH = document.documentElement.lang === "en";
const w = (ja, en) => (ENGLISH ? en : ja);
const LATER = w("有効性を確認できませんでした。時間をおいて、もう一度お試しください。", "It could not be confirmed that your certificate is in force. Please try again later.");
const WORDS = {
  bridge_missing: w("パソコンのカード読み取りプログラムが見つかりません。起動してから、もう一度お試しください。", "The card program of this computer was not found. Start it and try again."),
  browser_blocked: w("ブラウザが、このパソコンのプログラムへの接続を止めています。アドレスバーの左の設定で許可してください。", "The browser keeps this page from programs on this computer. Allow it in the settings left of the address."),
  bridge_lost: w("カード読み取りプログラムとの接続が切れました。もう一度お試しください。", "The card program is gone. Please try again."),
  busy: w("カード読み取りプログラムが、ほかのページの本人確認をしています。", "The card program is busy with another page."),
  cancelled: w("ログインをやめました。", "You stopped signing in."),
  challenge_expired: w("時間が過ぎました。もう一度お試しください。", "Time is over. Please try again."),
  too_many_requests: w("続けて何度も求められたため、しばらく待つ必要があります。", "Too many requests in a row: please wait a little."),
  card_removed: w("カードが離れました。もう一度お試しください。", "The card was taken away. Please try again."),
  pin_locked: w("暗証番号がロックされています。市民課の窓口で初期化できます。", "The PIN is locked. The Citizens' Affairs counter can reset it."),
  pin_tries_used: w("暗証番号が違いました。番号を確かめてから、もう一度お試しください。", "The PIN was wrong. Make sure of it, then try again."),
  revoked: w("この電子証明書はお使いいただけません。市民課の窓口でご確認ください。", "This certificate cannot be used. Please ask at the Citizens' Affairs counter."),
  on_hold: w("この電子証明書は一時停止中です。", "This certificate is suspended."),
  expired: w("電子証明書の有効期間が過ぎています。市民課の窓口で更新できます。", "This certificate has expired. The Citizens' Affairs counter can renew it."),
  unknown: LATER,
  unavailable: LATER,
  stale: LATER,
};
const OTHERWISE = w("ログインできませんでした。もう一度お試しください。", "Signing in failed. Please try again.");

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
    show(
      w(
        "カード読み取りプログラムの窓が開きました。窓に出ているページの名前を確かめて、続けてください。",
        "The window of the card program is open. Make sure that it names this page, then continue there.",
      ),
    );
    stop.hidden = false;
  });
  stop.onclick = asked.cancel;
  const { certificate, signature } = await asked.answer;
  stop.hidden = true;
  show(w("確認しています。", "Confirming."));
  const { outcome, reference } = await post("/login/answer", { certificate, signature });
  if (outcome === "good") location.assign(`/mypage${location.search}`);
  else show((WORDS[outcome] ?? OTHERWISE) + w(`（受付番号 ${reference}）`, ` (reference number ${reference})`), outcome);
}

login?.addEventListener("click", async () => {
  login.disabled = true;
  show(w("カード読み取りプログラムを呼び出しています。", "Calling the card program."));
  try {
    await signIn();
  } catch (error) {
    const code = error instanceof Refused ? error.code : "broken";
    show(WORDS[code] ?? OTHERWISE, code);
  }
  stop.hidden = true;
  login.disabled = false;
});
