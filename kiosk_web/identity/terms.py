"""Terms of use and privacy policy (利用規約・個人情報保護方針): versioned texts of the operator. PURE.

A text is a front matter of `key: value` lines between two lines of `---`, with `title`, `version`, `date` and perhaps
`changes` (what is new, in one sentence), and then paragraphs, `## headings` and `- points`. Nothing else is markup, so
nothing in a text can be more than words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

TermsKind = Literal["terms-of-use", "privacy-policy"]
KINDS: tuple[TermsKind, ...] = ("terms-of-use", "privacy-policy")
_VERSION = re.compile(r"[A-Za-z0-9._-]{1,32}")
_KEYS = ("title", "version", "date")
MOST_CHANGES = 120
"""Signs: it stands on one screen with the same of another document."""


class TermsRefused(ValueError):
    """The text cannot be shown; the message says what to mend."""


@dataclass(frozen=True)
class Block:
    """A heading, a paragraph (`lines` has one), or a list of points."""

    kind: Literal["heading", "paragraph", "points"]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class TermsText:
    """One document in one language."""

    title: str
    version: str
    published_on: date
    blocks: tuple[Block, ...]
    changes: str = ""


Terms = Mapping[TermsKind, Mapping[str, TermsText]]
"""All documents, by kind and language."""


def derive_versions(terms: Terms) -> dict[TermsKind, str]:
    """The version of each document that is shown now."""
    return {kind: next(iter(texts.values())).version for kind, texts in terms.items()}


def read_terms(text: str) -> TermsText:
    """Raises `TermsRefused`."""
    parts = text.replace("\r\n", "\n").split("---\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise TermsRefused("it does not begin with a front matter between two lines of ---")
    head = dict(_read_line(line) for line in parts[1].splitlines() if line.strip())
    if sorted(head.keys() - {"changes"}) != sorted(_KEYS):
        raise TermsRefused("the front matter has title, version, date and perhaps changes, and nothing else")
    if len(head.get("changes", "")) > MOST_CHANGES:
        raise TermsRefused(f"changes: one sentence of at most {MOST_CHANGES} signs")
    if _VERSION.fullmatch(head["version"]) is None:
        raise TermsRefused("version: up to 32 letters, digits, dots, hyphens")
    try:
        day = date.fromisoformat(head["date"])
    except ValueError:
        raise TermsRefused("date: write it as YYYY-MM-DD") from None
    blocks = _read_blocks(parts[2])
    if not head["title"] or not blocks:
        raise TermsRefused("the title or the text is empty")
    return TermsText(head["title"], head["version"], day, blocks, head.get("changes", ""))


def judge_languages(texts: Mapping[str, TermsText]) -> None:
    """One document has one version and one day in all languages, and says in all or in none what is new.

    Raises `TermsRefused`.
    """
    if len({(text.version, text.published_on) for text in texts.values()}) > 1:
        raise TermsRefused("version and date differ between the languages")
    if len({bool(text.changes) for text in texts.values()}) > 1:
        raise TermsRefused("one language says what changed and another does not")


def find_unaccepted(current: Mapping[TermsKind, str], accepted: Mapping[TermsKind, str]) -> tuple[TermsKind, ...]:
    """Which documents a person has yet to accept: never accepted, or in another version than the current one."""
    return tuple(kind for kind in KINDS if kind in current and accepted.get(kind) != current[kind])


def _read_line(line: str) -> tuple[str, str]:
    key, colon, value = line.partition(":")
    if not colon:
        raise TermsRefused("a line of the front matter is no `key: value`")
    return key.strip(), value.strip()


def _read_blocks(text: str) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for chunk in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in chunk.splitlines() if line.strip()]
        if not lines:
            continue
        if lines[0].startswith("## "):
            blocks.append(Block("heading", (lines[0][3:].strip(),)))
            lines = lines[1:]
        if lines and all(line.startswith("- ") for line in lines):
            blocks.append(Block("points", tuple(line[2:].strip() for line in lines)))
        elif lines:
            blocks.append(Block("paragraph", ("".join(lines) if _is_japanese(lines[0]) else " ".join(lines),)))
    return tuple(blocks)


def _is_japanese(line: str) -> bool:
    return any(ord(sign) >= 0x3000 for sign in line)
