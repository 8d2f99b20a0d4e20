"""`docs/codes.md` from `session/codes.py` and the catalogues: `python -m kiosk_web.web.code_list > docs/codes.md`."""

from __future__ import annotations

import sys

from kiosk_web.session.codes import CODES
from kiosk_web.web.catalogue import Catalogue, load_catalogues

GROUPS = {
    "terminal": "K-1xx: the terminal",
    "card": "K-2xx: the card",
    "pin": "K-3xx: the PIN (暗証番号)",
    "certificate": "K-4xx: the certificate",
    "confirmation": "K-5xx: could not confirm",
    "session": "K-6xx: the visit",
}
HEAD = """# Codes on the screen

<!-- Made from kiosk_web/session/codes.py and kiosk_web/locales by `python -m kiosk_web.web.code_list > docs/codes.md`. -->

A visit that ends without a result shows one of these codes. The name is `data-code` in the page and in the audit record; name and
number never change their meaning. The failure codes of the bridge (`docs/wire.md` 6) have the same names. "Again": the same person
may succeed by trying once more at this terminal. "Alarm": staff are told at once.

K-5xx means that the certificate's state could not be confirmed. It never means that the card or the certificate is invalid.
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _resident(catalogue: Catalogue, name: str) -> str:
    title, *rest = (catalogue.messages[f"code.{name}.{part}"] for part in ("title", "text", "action"))
    return _cell(f"**{title}** " + (" " if catalogue.language == "en" else "").join(rest))


def build_code_list() -> str:
    """The whole document."""
    catalogues = load_catalogues()
    japanese, english = catalogues["ja"], catalogues["en"]
    parts = [HEAD]
    for group, title in GROUPS.items():
        parts.append(
            f"## {title}\n\n| code | name | again | alarm | residents read (ja) | residents read (en) | staff (ja) | staff (en) |\n"
            "| --- | --- | --- | --- | --- | --- | --- | --- |"
        )
        for code in (code for code in CODES.values() if code.group == group):
            remedies = [_cell(catalogue.messages[f"code.{code.name}.remedy"]) for catalogue in (japanese, english)]
            cells = (
                code.number,
                f"`{code.name}`",
                "yes" if code.retriable else "no",
                "yes" if code.alarm else "",
                _resident(japanese, code.name),
                _resident(english, code.name),
                *remedies,
            )
            parts.append("| " + " | ".join(cells) + " |")
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(build_code_list())
