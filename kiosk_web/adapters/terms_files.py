"""The texts of terms of use and privacy policy: one file for each document and language in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kiosk_web.identity.terms import KINDS, Terms, TermsKind, TermsRefused, TermsText, judge_languages, read_terms

PACKAGED = Path(__file__).resolve().parent.parent / "terms"
"""The demo's texts, of a city that does not exist."""


def load_terms(folder: Path | None, languages: tuple[str, ...]) -> Terms:
    """`terms-of-use.ja.md` and so on; None: the demo's. Raises `TermsRefused` naming the file."""
    place = PACKAGED if folder is None else folder
    terms: dict[TermsKind, Mapping[str, TermsText]] = {}
    for kind in KINDS:
        texts = {language: _load_text(place / f"{kind}.{language}.md") for language in languages}
        try:
            judge_languages(texts)
        except TermsRefused as error:
            raise TermsRefused(f"{kind}: {error}") from None
        terms[kind] = texts
    return terms


def _load_text(path: Path) -> TermsText:
    try:
        return read_terms(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TermsRefused(f"{path.name}: {error.strerror or 'cannot be read'}") from None
    except UnicodeDecodeError:
        raise TermsRefused(f"{path.name}: is not UTF-8") from None
    except TermsRefused as error:
        raise TermsRefused(f"{path.name}: {error}") from None
