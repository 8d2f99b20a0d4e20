"""Where a card may be tapped at all: a service of such a profile, where taps are permitted, under a lease."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kiosk_web.identity.offer import Service, Words
from kiosk_web.identity.profiles import ProfileName
from kiosk_web.services.kazashi.taps import KazashiRules, KazashiService

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
NAME = Words("あ", "a")


def service(profile: ProfileName) -> Service:
    return Service("a", "hall", profile, NAME, NAME, "service")


@pytest.mark.parametrize(
    ("asked", "permitted", "attended", "tapped"),
    [
        (service("type1"), True, True, True),
        (service("library"), True, True, True),
        (service("type2"), True, True, False),
        (None, True, True, False),
        (service("type1"), False, True, False),
        (service("type1"), True, False, False),
    ],
    ids=["type 1", "library", "type 2", "unknown service", "not permitted", "unattended"],
)
async def test_without_any_of_it_the_pin_is_asked(
    asked: Service | None, permitted: bool, attended: bool, tapped: bool
) -> None:
    lease: Any = SimpleNamespace(id="l1") if attended else None
    touched: list[str] = []

    async def find(*_: Any) -> Any:
        return lease

    async def touch(identity: str, now: datetime) -> None:
        touched.append(identity)

    rules = KazashiRules(permitted, None, timedelta(days=365))  # type: ignore[arg-type]  # no card is judged here
    kazashi = KazashiService(rules, SimpleNamespace(find=find))  # type: ignore[arg-type]  # the one that is asked
    transaction: Any = SimpleNamespace(leases=SimpleNamespace(touch=touch))
    found = await kazashi.find_lease(transaction, "t1", asked, NOW)
    assert found is (lease if tapped else None)
    assert touched == (["l1"] if tapped else [])
