"""What an assertion buys once it was judged: one token, for its own client, within its rate, and never twice."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kiosk_web.pki.client_assertion import Assertion, RefusedAssertion, Unproven
from kiosk_web.services.api import client_auth as subject
from kiosk_web.services.api.client_auth import AccessToken, ClientAuthService, TooMany
from kiosk_web.services.api.rate_limit import RateLimits
from kiosk_web.services.ports.clients import ClientRecord, TokenRecord

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
RECORD = ClientRecord("gym", ("hall",), ("ocsp",), (), 2, NOW)
RIGHT = Assertion("gym", "key-1", "jti-1", NOW + timedelta(seconds=60))


class Played:
    """A database of one client, and an assertion whose judgement is known."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.record: ClientRecord | None = RECORD
        self.named: str | None = "gym"
        self.judged: Assertion | Unproven | RefusedAssertion = RIGHT
        self.used: dict[tuple[str, bytes], datetime] = {}
        self.tokens: list[TokenRecord] = []
        self.clients = self
        self.asked: list[tuple[Any, ...]] = []
        monkeypatch.setattr(subject, "read_claimed_client", lambda _: self.named)
        monkeypatch.setattr(subject, "judge_assertion", self._judge)
        self.service = ClientAuthService(
            store=self,  # type: ignore[arg-type]
            audience="https://kiosk.example/api/v1/token",
            limits=RateLimits(),
            clock=lambda: NOW,
            entropy=lambda octets: bytes(range(octets)),
        )

    def _judge(self, *given: Any) -> Any:
        self.asked.append(given)
        return self.judged

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        yield self

    read = write

    def glance(self) -> Any:
        return self

    async def find(self, name: str) -> ClientRecord | None:
        return self.record

    async def list_keys(self, name: str, now: datetime) -> tuple[Any, ...]:
        return ()

    async def use_assertion(self, client: str, jti: bytes, until: datetime) -> bool:
        if (client, jti) in self.used:
            return False
        self.used[client, jti] = until
        return True

    async def add_token(self, token: TokenRecord) -> None:
        self.tokens.append(token)

    async def find_by_token(self, sha256: bytes, now: datetime) -> ClientRecord | None:
        return self.record if any(token.sha256 == sha256 and token.expires_at > now for token in self.tokens) else None


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    return Played(monkeypatch)


@pytest.mark.parametrize("client", [None, "gym"])
async def test_a_right_assertion_buys_a_token_of_five_minutes_that_is_kept_as_a_hash(
    played: Played, client: str | None
) -> None:
    token = await played.service.issue_token("compact", client)
    assert isinstance(token, AccessToken)
    assert (token.client, token.lifetime, len(token.value)) == ("gym", timedelta(minutes=5), 43)
    kept = hashlib.sha256(token.value.encode()).digest()
    assert played.tokens == [TokenRecord(kept, "gym", "key-1", NOW + timedelta(minutes=5))]
    assert played.used == {("gym", hashlib.sha256(b"jti-1").digest()): NOW + timedelta(seconds=90)}
    assert played.asked == [("compact", "gym", [], "https://kiosk.example/api/v1/token", NOW)]
    assert await played.service.find_client(token.value) == RECORD
    assert await played.service.find_client(token.value + "A") is None


async def test_the_same_assertion_buys_nothing_the_second_time(played: Played) -> None:
    assert isinstance(await played.service.issue_token("compact", None), AccessToken)
    assert await played.service.issue_token("compact", None) == RefusedAssertion("jti_used")
    assert len(played.tokens) == 1


@pytest.mark.parametrize(("named", "client"), [(None, None), (None, "gym"), ("gym", "library"), ("gym", "")])
async def test_an_assertion_of_nobody_or_of_somebody_else_is_not_even_judged(
    played: Played, named: str | None, client: str | None
) -> None:
    played.named = named
    assert await played.service.issue_token("compact", client) == Unproven()
    assert (played.asked, played.tokens, played.used) == ([], [], {})


@pytest.mark.parametrize("judged", [Unproven(), RefusedAssertion("jti_used")])
async def test_what_was_judged_wrong_buys_nothing_and_costs_its_client_nothing(
    played: Played, judged: Unproven | RefusedAssertion
) -> None:
    played.judged = judged
    for _ in range(5):
        assert await played.service.issue_token("compact", None) == judged
    assert (played.tokens, played.used) == ([], {})
    played.judged = RIGHT
    assert isinstance(await played.service.issue_token("compact", None), AccessToken)


async def test_a_client_that_is_not_there_gets_no_token_whatever_it_signed(played: Played) -> None:
    played.record = None
    assert await played.service.issue_token("compact", None) == Unproven()
    assert played.tokens == []


async def test_who_has_used_up_its_rate_uses_up_no_assertion(played: Played) -> None:
    token = await played.service.issue_token("compact", None)
    assert isinstance(token, AccessToken)
    assert await played.service.find_client(token.value) == RECORD  # two a minute
    assert await played.service.find_client(token.value) == TooMany(30)
    played.judged = Assertion("gym", "key-1", "jti-2", NOW + timedelta(seconds=60))
    assert await played.service.issue_token("compact", None) == TooMany(30)
    assert len(played.used) == len(played.tokens) == 1
