"""The sentences of the screens: one gettext catalogue (`locales/<language>.po`) per language, read once at start.

The ids are dotted keys. The catalogues are read as they are, without a compile step: what a
translator edits is what is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from babel.messages.pofile import read_po

LANGUAGES = ("ja", "en")
LOCALES = Path(__file__).resolve().parent.parent / "locales"


@dataclass(frozen=True)
class Catalogue:
    """All messages of one language."""

    language: str
    messages: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """The message with its placeholders (`{name}`) filled. Raises KeyError for a key or a value that is missing."""
        message = self.messages[key]
        return message.format(**values) if values else message


def load_catalogue(language: str) -> Catalogue:
    """Reads `locales/<language>.po`. Raises ValueError for a fuzzy or empty entry, OSError without the file."""
    with (LOCALES / f"{language}.po").open("rb") as file:
        entries = read_po(file, locale=language, abort_invalid=True)
    messages: dict[str, str] = {}
    for entry in entries:
        if not entry.id:
            continue
        if not isinstance(entry.id, str) or not isinstance(entry.string, str) or not entry.string or entry.fuzzy:
            raise ValueError(f"{language}.po: {entry.id!r} is not translated")
        messages[entry.id] = entry.string
    return Catalogue(language, messages)


@cache
def load_catalogues() -> Mapping[str, Catalogue]:
    """All languages, by code; read once for all who show sentences."""
    return MappingProxyType({language: load_catalogue(language) for language in LANGUAGES})
