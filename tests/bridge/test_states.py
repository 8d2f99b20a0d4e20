"""The states in `docs/bridge.md` are the ones in the code. `python -m tests.bridge.test_states` writes them anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from bridge.states import MESSAGES, REPORTS, Row, State

DOCUMENT = Path(__file__).parents[2] / "docs/bridge.md"
BEGIN, END = "<!-- states: begin -->\n", "<!-- states: end -->\n"


def build_states() -> str:
    """Two tables and a diagram."""
    lines = ["| state | message of the page → states afterwards | report of the card worker → states afterwards |"]
    lines.append("| --- | --- | --- |")
    for state in State:
        messages = {word: row for word, row in MESSAGES[state].items() if word not in ("ping", "bye")}
        reports = {kind.__name__: row for kind, row in REPORTS[state].items()}
        lines.append(f"| `{state.value}` | {_cell(state, messages)} | {_cell(state, reports)} |")
    lines += ["", "```mermaid", "stateDiagram-v2", "    [*] --> opened"]
    for state in State:
        words = {**MESSAGES[state], **{kind.__name__: row for kind, row in REPORTS[state].items()}}
        arrows: dict[State, list[str]] = {}
        for word, row in words.items():
            for target in row.to:
                if target is not state and target is not State.CLOSED:
                    arrows.setdefault(target, []).append(word)
        lines += [f"    {state.value} --> {target.value}: {', '.join(words)}" for target, words in arrows.items()]
    return "\n".join([*lines, "    closed --> [*]", "```", ""])


def _cell(state: State, rows: Mapping[str, Row]) -> str:
    shown = [f"`{word}` → {', '.join(target.value for target in row.to or (state,))}" for word, row in rows.items()]
    return " · ".join(shown) or "none"


def test_the_document_shows_the_states_of_the_code() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    shown = text[text.index(BEGIN) + len(BEGIN) : text.index(END)]
    assert shown == build_states()


def test_ping_and_bye_are_legal_as_the_document_says() -> None:
    verified = set(State) - {State.OPENED, State.GREETED, State.CLOSED}
    assert {state for state in State if "ping" in MESSAGES[state]} == verified
    assert {state for state in State if "bye" in MESSAGES[state]} == set(State) - {State.CLOSED}


def test_the_document_names_every_option_of_the_program() -> None:
    source = (DOCUMENT.parents[1] / "bridge/__main__.py").read_text(encoding="utf-8")
    text = DOCUMENT.read_text(encoding="utf-8")
    options = {f"--{name}" for name in ("state", "port", "port-file", "virtual", "log-level", "deployment")}
    options |= set(re.findall(r'"(--[a-z]+)"', source))
    assert {option for option in options if f"`{option}" not in text and f" {option}" not in text} == set()


if __name__ == "__main__":
    before = DOCUMENT.read_text(encoding="utf-8")
    start, end = before.index(BEGIN) + len(BEGIN), before.index(END)
    DOCUMENT.write_text(before[:start] + build_states() + before[end:], encoding="utf-8", newline="\n")
