"""What a story has at hand."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from bridge.virtual.keypad import FILE as KEYPAD
from tests.e2e.kiosk_page import KioskPage
from tests.support.demo import RunningDemo
from tests.support.own_bridge import OwnBridge
from tests.support.scripted_reader import AWAITED, SCRIPT

PERSON, OTHER = "midori", "taro"
LINKED = "kyoko"


@dataclass
class Stand:
    """The running kiosk, its page and its bridge. `tampered` opens one more page, whose socket or requests a story may
    change; `pages` closes those.
    """

    demo: RunningDemo
    kiosk: KioskPage
    bridge: OwnBridge
    tampered: Callable[[], KioskPage]
    pages: ExitStack
    folder: Path
    presses: int = 0

    @property
    def page(self) -> Page:
        return self.kiosk.page

    @property
    def card(self) -> Path:
        return self.demo.data / "simulator" / "cards" / PERSON

    def script(self, **told: str | int) -> None:
        """What the reader answers from now on."""
        path = self.demo.data / "simulator" / SCRIPT
        part = path.with_suffix(".part")
        part.write_text(json.dumps(told), encoding="utf-8")
        part.replace(path)

    def press_keys(self, keys: str) -> None:
        """On the reader, which has keys from the first time on: digits and the key that confirms them, or a word."""
        path = self.demo.data / "simulator" / KEYPAD
        self.presses += 1  # the reader remembers which it has taken, also over a time without keys
        part = path.with_suffix(".part")
        part.write_text(json.dumps({"version": 1, "serial": self.presses, "keys": keys}), encoding="utf-8")
        part.replace(path)

    def reach_keys(self, person: str = PERSON, service: str = "facility") -> KioskPage:
        """Up to the reader's waiting for its keys."""
        self.reach_pin(person, service)
        self.page.locator("body[data-keypad=reader-now]").wait_for()
        while not (self.demo.data / "simulator" / AWAITED).exists():
            self.page.wait_for_timeout(10)
        return self.kiosk

    def clear_reader(self) -> None:
        """It does as a reader should, and has no keys."""
        for name in (SCRIPT, KEYPAD):
            (self.demo.data / "simulator" / name).unlink(missing_ok=True)

    def change_card(self, **changes: Any) -> None:
        """In `card.json`: a new value, or for a secret so many tries left."""
        path = self.card / "card.json"
        card = json.loads(path.read_text(encoding="utf-8"))
        for key, value in changes.items():
            if isinstance(value, int):
                card[key]["left"] = value
            else:
                card[key] |= value
        path.write_text(json.dumps(card), encoding="utf-8")

    def write(self, statement: str, *values: object) -> None:
        """Into the server's database."""
        path = self.demo.data / "kiosk" / "kiosk.sqlite3"
        with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as connection:
            connection.execute(statement, values)

    def read(self, statement: str, *values: object) -> list[Any]:
        path = self.demo.data / "kiosk" / "kiosk.sqlite3"
        with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as connection:
            return connection.execute(statement, values).fetchall()

    def put(self, person: str = PERSON, service: str = "facility", kiosk: KioskPage | None = None) -> None:
        """Choose a service and put a card."""
        (kiosk or self.kiosk).choose(service)
        self.demo.put_card(person)

    def reach_pin(self, person: str = PERSON, service: str = "facility", kiosk: KioskPage | None = None) -> KioskPage:
        self.put(person, service, kiosk)
        return (kiosk or self.kiosk).wait_for("awaiting_pin")

    def identify(self, person: str = PERSON, service: str = "facility") -> KioskPage:
        self.reach_pin(person, service).type_pin(self.demo.person(person).pin)
        return self.kiosk.wait_for("result")


Story = Callable[[Stand], KioskPage | None]
"""Gives the page on which the refusal is to be seen; None: the stand's own."""
