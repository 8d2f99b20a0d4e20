"""A visit that hands the basic 4 information over, in tests of the server: who asks, and a terminal that reads."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from kiosk_web.settings.services import DEMO_SERVICES, BasicFourAsked, ServiceSettings, WordsSettings
from tests.support.jpki import Issued
from tests.support.kazashi import take_ticket
from tests.support.kiosk_server import Stand
from tests.support.terminal import Stage, Terminal, encode, fields, read_claims

NAME = "𠮷野\u3000髙子"
ADDRESS = "みほん県みほん市大字●●一丁目2番3号　みほん荘"
FOUR = (NAME, ADDRESS, "19800217", "2")
PURPOSE = WordsSettings(ja="体育館の利用者登録", en="Registration for the gymnasium")
KEPT = WordsSettings(ja="登録をやめるまで。", en="Until you leave.")


def build_services(*, on_request_only: bool = False) -> tuple[ServiceSettings, ...]:
    """The demo's; facility booking asks."""
    facility, *others = DEMO_SERVICES
    asked = BasicFourAsked(purpose=PURPOSE, kept=KEPT, on_request_only=on_request_only)
    return (facility.model_copy(update={"basic_four": asked}), *others)


def build_items(*four: str) -> bytes:
    """As a bridge writes them (`docs/wire.md` 7)."""
    return fields(*(four or FOUR))


async def reach_consent(stand: Stand, terminal: Terminal, card: Issued) -> Stage:
    return await stand.identify(terminal, card)


async def reach_proof(stand: Stand, terminal: Terminal, card: Issued) -> Stage:
    """Agreed, and the card has signed for it."""
    take_ticket(terminal, await terminal.send("consent_given"))
    await terminal.read_card(card)
    await stand.server.sessions.settle()
    await terminal.submit_pin()
    return await terminal.sign(card)


async def tell_tries(terminal: Terminal, pin: int = 3, code: int = 10) -> Stage:
    challenge = read_claims(terminal.ticket)["jti"]
    return await terminal.send("text_ready", challenge=challenge, pin_tries_left=pin, code_tries_left=code)


async def reach_text(stand: Stand, terminal: Terminal, card: Issued) -> Stage:
    """From the first screen up to the question for a secret of the text application."""
    await reach_consent(stand, terminal, card)
    await reach_proof(stand, terminal, card)
    return await tell_tries(terminal)


def build_basic_four(terminal: Terminal, card: Issued, items: bytes | None = None, **changes: Any) -> dict[str, object]:
    """The fields of `basic_four_read`, countersigned; `changes` replace what is told."""
    terminal.counter += 1
    read = build_items() if items is None else items
    message = b"kiosk-evidence/1\0" + fields(
        "basic_four",
        hashlib.sha256(terminal.ticket.encode()).digest(),
        hashlib.sha256(card.der).digest(),
        "pin",
        hashlib.sha256(read).digest(),
        str(terminal.counter),
    )
    return {
        "challenge": read_claims(terminal.ticket)["jti"],
        "items": encode(read),
        "counter": terminal.counter,
        "signature": encode(terminal.key.sign(message)),
        **changes,
    }


async def hand_over(terminal: Terminal, card: Issued, items: bytes | None = None, **changes: Any) -> Stage:
    """The secret, and what the bridge read."""
    await terminal.submit_pin()
    return await terminal.send("basic_four_read", **build_basic_four(terminal, card, items, **changes))


def find_plain(folder: Path, words: tuple[str, ...] = (NAME, ADDRESS, "みほん荘")) -> list[str]:
    """Files with one of these words in them: as UTF-8, UTF-16, JSON escapes or base64url of the items."""
    found = []
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        for word in words:
            forms = (word.encode(), word.encode("utf-16-le"), word.encode("unicode_escape").replace(b"\\u", b"\\u"))
            found += [f"{path.name}: {len(word)} signs" for form in forms if form in content]
        if encode(build_items()).encode()[:40] in content:
            found.append(f"{path.name}: items")
    return found
