"""Looks for what must not be there: a word in every form in which a program could have written it down.

Forms of a word: UTF-8, UTF-16 in both orders, the escapes of JSON and of a URL, hexadecimal, and base64 in both
alphabets at each of the three places at which it can begin in a longer text. A short one of digits is looked for where
it stands alone: within longer digits and letters it comes about by chance.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

SHORT = 8
"""So many octets and more are found wherever they stand."""

_ALONE = rb"(?<![0-9A-Za-z.:+/_=-])%s(?![0-9A-Za-z+/_=-])"


def derive_forms(word: str | bytes) -> frozenset[bytes]:
    """All forms of one word. Octets have no text form: as they are, hexadecimal and base64."""
    plain = {word} if isinstance(word, bytes) else {word.encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be")}
    forms = set(plain)
    for octets in plain:
        forms |= {octets.hex().encode(), octets.hex().upper().encode(), *_derive_base64(octets)}
    if isinstance(word, str):
        escaped = json.dumps(word).strip('"')
        forms |= {escaped.encode(), escaped.upper().replace("\\U", "\\u").encode()}
        forms |= {quote(word, safe="").encode(), quote_plus(word).encode(), quote(word, safe="").lower().encode()}
    return frozenset(forms)


def _derive_base64(octets: bytes) -> Iterable[bytes]:
    """Those signs that the octets alone decide, for each place at which they can begin."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + octets)
        start = -(-before * 8 // 6)
        known = whole[start : (before + len(octets)) * 8 // 6]
        yield known
        yield known.translate(bytes.maketrans(b"+/", b"-_"))


class Planted:
    """`words` by what they are; several writings of one thing are several words under one name."""

    def __init__(self, words: Mapping[str, Iterable[str | bytes]]) -> None:
        self._patterns = {name: _build_pattern(each) for name, each in words.items()}

    def find(self, content: bytes) -> set[str]:
        """Names of what stands in there."""
        return {name for name, pattern in self._patterns.items() if pattern.search(content)}

    def find_in(self, sinks: Mapping[str, bytes]) -> set[tuple[str, str]]:
        """(sink, name) for each that stands in one."""
        return {(sink, name) for sink, content in sinks.items() for name in self.find(content)}


def _build_pattern(words: Iterable[str | bytes]) -> re.Pattern[bytes]:
    ways = set()
    for word in words:
        short = isinstance(word, str) and word.isascii() and len(word) < SHORT
        if short:
            ways.add(_ALONE % re.escape(str(word)).encode())
        else:
            ways |= {re.escape(form) for form in derive_forms(word)}
    return re.compile(b"|".join(sorted(ways)))


def read_files(folder: Path) -> dict[str, bytes]:
    """Every file below the folder, hidden ones and the database's `-wal` and `-shm` too, by its path in there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # a draft that has got its name meanwhile
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found
