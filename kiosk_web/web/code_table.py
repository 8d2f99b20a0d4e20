"""`docs/codes.md`, made from the table of codes and the catalogues: what the screen says and what staff do. PURE.

`python -c "from kiosk_web.web.code_table import *; print(build_code_table(load_catalogues()), end='')" > docs/codes.md`
writes it; a test compares.
"""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.session.codes import CODES, HANDOVER_CODES, Code, Group
from kiosk_web.web.catalogue import Catalogue, load_catalogues

__all__ = ["build_code_table", "load_catalogues"]

_HEADINGS: dict[Group, str] = {
    "terminal": "The terminal",
    "card": "The card",
    "pin": "The 暗証番号",
    "certificate": "The certificate is not in force, or not one we accept",
    "confirmation": "The certificate could not be confirmed: neither valid nor revoked",
    "session": "The visit",
    "identity": "The identifier: the certificate is confirmed, and yet the service is not given",
    "handover": "The hand-over: the visit has its result, and its number did not go out to the other system",
}

_OPENING = """\
# Codes

Every way a visit can end without a result, and every way the number of a result can fail to go out. The code stands on
the screen, its name in the page (`data-code`); once published, neither changes its meaning. This page is made from
`kiosk_web/session/codes.py` and `kiosk_web/locales/`.

**again**: the same resident may succeed by trying again here. **staff**: staff are told at once.
"""


def build_code_table(catalogues: Mapping[str, Catalogue]) -> str:
    """The document, Markdown."""
    japanese, english = catalogues["ja"], catalogues["en"]
    parts = [_OPENING]
    for group, heading in _HEADINGS.items():
        parts.append(f"## {heading}\n")
        rows = ["| code | name | on the screen | what to do | |", "| --- | --- | --- | --- | --- |"]
        for code in (code for code in (CODES | HANDOVER_CODES).values() if code.group == group):
            key, screen = _find_words(code)
            marks = ", ".join(mark for mark, holds in (("again", code.retriable), ("staff", code.alarm)) if holds)
            shown = f"{japanese.say(screen)}<br>{english.say(screen)}"
            rows.append(f"| {code.number} | `{code.name}` | {shown} | {english.say(f'{key}.remedy')} | {marks} |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def _find_words(code: Code) -> tuple[str, str]:
    """Where its words are, and which of them tells the resident what happened."""
    if code.group == "handover":
        return f"handover.code.{code.name}", f"handover.code.{code.name}.text"
    return f"code.{code.name}", f"code.{code.name}.title"
