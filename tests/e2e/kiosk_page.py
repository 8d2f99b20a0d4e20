"""The resident's page as a person meets it: what it shows, and what one can do with it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

STEP_MILLISECONDS = 60_000
"""How long a test waits for one thing: many times what it takes, for computers that are busy with others."""


class KioskPage:
    """One browser page on the resident's listener. Every wait is for a condition, never for a time.

    `watched`: what it asks for and complains about is kept, which takes time while it works.
    """

    def __init__(self, page: Page, address: str, *, watched: bool = True) -> None:
        self.page = page
        self.address = address
        self.requests: list[tuple[str, str, bytes]] = []
        self.violations: list[str] = []
        if watched:
            self._watch(page)

    def _watch(self, page: Page) -> None:
        page.on(
            "request",
            lambda request: self.requests.append((request.method, request.url, request.post_data_buffer or b"")),
        )
        page.on("console", lambda message: self._note_console(message.type, message.text))

    def _note_console(self, kind: str, text: str) -> None:
        if kind == "error" and "Content Security Policy" in text:
            self.violations.append(text)

    def open(self, state: str = "choosing_service") -> KioskPage:
        self.page.goto(self.address)
        return self.wait_for(state)

    @property
    def stage(self) -> Any:
        return self.page.locator("#stage")

    @property
    def state(self) -> str:
        return self.stage.get_attribute("data-state") or ""

    @property
    def code(self) -> str:
        return self.stage.get_attribute("data-code") or ""

    def wait_for(self, *states: str) -> KioskPage:
        """Wait until the stage is in one of these states."""
        expect(self.stage).to_have_attribute(
            "data-state", re.compile("^(" + "|".join(states) + ")$"), timeout=STEP_MILLISECONDS
        )
        return self

    def wait_for_code(self, code: str) -> KioskPage:
        expect(self.stage).to_have_attribute("data-code", code, timeout=STEP_MILLISECONDS)
        return self

    def choose(self, service: str | None = None) -> KioskPage:
        """Touch a tile; the first one without a name."""
        tiles = self.stage.locator("[data-service]" if service is None else f"[data-service='{service}']")
        tiles.first.click()
        return self.wait_for("awaiting_card", "reading_card", "awaiting_pin", "confirming_last_pin", "refused")

    def type_pin(self, pin: str) -> KioskPage:
        """Type on a keyboard and confirm with Enter."""
        self.page.keyboard.type(pin)
        self.page.keyboard.press("Enter")
        return self

    def wait_for_text(self, text: str) -> KioskPage:
        expect(self.stage).to_contain_text(text, timeout=STEP_MILLISECONDS)
        return self

    def wait_for_tries(self, tries_left: int) -> KioskPage:
        """Wait until the PIN pad says that this many tries are left."""
        self.wait_for("awaiting_pin")
        expect(self.stage.locator("#tries dd")).to_contain_text(str(tries_left), timeout=STEP_MILLISECONDS)
        return self

    def wait_for_language(self, language: str) -> KioskPage:
        expect(self.stage).to_have_attribute("data-lang", language, timeout=STEP_MILLISECONDS)
        return self

    def start_again(self) -> KioskPage:
        """From wherever a visit ended, with the card already taken: the terminal may return by itself first.

        The button is pressed by its id in one step, not by its place: a tile may lie there in the next instant.
        """
        self.page.locator("#finish").or_(self.stage.locator("[data-service]").first).first.wait_for()
        self.page.evaluate("document.getElementById('finish')?.click()")
        return self.wait_for("choosing_service")

    def text(self) -> str:
        return str(self.stage.inner_text())
