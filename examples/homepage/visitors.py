"""Who is signed in: sessions in memory, named by a cookie that is new after each signing in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

MOST = 1000


@dataclass
class Visitor:
    """`pending`: the challenge that was fetched for this browser and no other. `verdict`: {} until it was accepted.
    `confirmed`: the person said that the registration is as it should be, and that was recorded.
    """

    name: str
    pending: str = ""
    verdict: dict[str, Any] = field(default_factory=dict)
    number: int | None = None
    confirmed: bool = False


class Visitors:
    """A restart forgets everybody. `logins` and `known` count since the start; they name nobody."""

    def __init__(self) -> None:
        self._visitors: dict[str, Visitor] = {}
        self.logins = 0
        self.known = 0

    def find(self, name: str | None) -> Visitor | None:
        return self._visitors.get(name or "")

    def welcome(self) -> Visitor:
        """Somebody new."""
        while len(self._visitors) >= MOST:
            del self._visitors[next(iter(self._visitors))]
        visitor = Visitor(secrets.token_urlsafe(32))
        self._visitors[visitor.name] = visitor
        return visitor

    def sign_in(self, visitor: Visitor, verdict: dict[str, Any], number: int | None) -> Visitor:
        """Under a new name: one that was known before cannot be used by who knew it."""
        self.forget(visitor.name)
        signed = self.welcome()
        signed.verdict, signed.number = verdict, number
        self.logins += 1
        self.known += number is not None
        return signed

    def forget(self, name: str | None) -> None:
        self._visitors.pop(name or "", None)
