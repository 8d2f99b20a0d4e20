"""What a resident agrees to, as sentences in the order in which the screen shows them. PURE.

The screen shows these and nothing else of the matter, and their hash is in the bytes that the card signs
(`docs/wire.md` 7): what was shown is what was agreed to.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from kiosk_web.identity.offer import Service
from kiosk_web.identity.words import Words
from kiosk_web.pki.fields import build_fields
from kiosk_web.web.catalogue import Catalogue

PREFIX = b"kiosk-consent/1\0"
POINTS = ("use", "kept", "birth", "end")
ROWS = ("receiver", "items", "purpose", "here", "there", "never")


@dataclass(frozen=True)
class Consent:
    """`rows` are (label, text), one for each thing that has a name; `points` are whole sentences."""

    title: str
    lead: str
    rows: tuple[tuple[str, str], ...] = ()
    points: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        return (self.title, self.lead, *(text for row in self.rows for text in row), *self.points)


def build_consent(catalogue: Catalogue, subject: str, service: Service) -> Consent:
    """`subject`: `kazashi` or `basic_four`. Raises `ValueError` where a service has nothing to ask for."""
    say, language = catalogue.say, catalogue.language
    title, lead = say(f"consent.{subject}.title"), say(f"consent.{subject}.lead")
    if subject != "basic_four":
        return Consent(title, lead, points=tuple(say(f"consent.{subject}.{point}") for point in POINTS))
    terms = service.basic_four
    if terms is None:
        raise ValueError(f"{service.id} asks for no basic 4 information")
    texts = {
        "receiver": _choose(terms.receiver, language),
        "items": say("consent.basic_four.items"),
        "purpose": _choose(terms.purpose, language),
        "here": say("consent.basic_four.here", minutes=terms.minutes),
        "there": _choose(terms.kept, language),
        "never": say("consent.basic_four.never"),
    }
    rows = tuple((say(f"consent.basic_four.{row}.label"), texts[row]) for row in ROWS)
    return Consent(title, lead, rows, (say("consent.basic_four.sign"),))


def derive_consent_hash(catalogue: Catalogue, subject: str, service: Service) -> bytes:
    """SHA-256 of what the consent screen says in this language, for this service."""
    said = build_consent(catalogue, subject, service).sentences
    name = _choose(service.name, catalogue.language)
    return hashlib.sha256(PREFIX + build_fields(subject, catalogue.language, service.id, name, *said)).digest()


def _choose(words: Words, language: str) -> str:
    return words.ja if language == "ja" else words.en
