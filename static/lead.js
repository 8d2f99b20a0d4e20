// What is still missing, shown in the place of the screen's sentence until somebody goes on typing or picking. The server may write the
// screen anew meanwhile: then there is nothing to put back.

export class Lead {
  #missed = null; // {shown, before}

  show(sentence) {
    this.recall();
    const lead = document.getElementById("lead");
    if (!lead || !sentence) return;
    const shown = document.createElement("strong");
    shown.textContent = sentence;
    this.#missed = { shown, before: [...lead.childNodes] };
    lead.replaceChildren(shown);
  }

  recall() {
    const missed = this.#missed;
    this.#missed = null;
    if (missed?.shown.isConnected) missed.shown.replaceWith(...missed.before);
  }
}
