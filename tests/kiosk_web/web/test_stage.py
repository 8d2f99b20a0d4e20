"""Which tiles are on the first screen, and what they warn of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from kiosk_web.identity.offer import Offer, Service, StatusPolicyName, Words
from kiosk_web.identity.profiles import ProfileName
from kiosk_web.pki.status import Opening
from kiosk_web.services.visit.sessions import Snapshot
from kiosk_web.session import states as s
from kiosk_web.web.stage import build_stage_view

NAME = Words("あ", "a")
OUTAGE = Opening("manager", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))


def list_tiles(*services: tuple[ProfileName, StatusPolicyName], outage: Opening | None = None) -> list[dict[str, Any]]:
    offer = Offer(
        tuple(
            Service(str(number), f"s{number}", profile, NAME, NAME, "service", policy)
            for number, (profile, policy) in enumerate(services)
        )
    )
    snapshot = Snapshot("t", s.ChoosingService(s.Visit("p", 1)), 1, "p", None)
    in_use = {service.system for service in offer.services}
    return cast("list[dict[str, Any]]", build_stage_view(snapshot, offer, in_use, outage).data["services"])


@pytest.mark.parametrize(
    ("outage", "policy", "uncertain"),
    [
        (None, "ocsp", False),
        (OUTAGE, "ocsp", True),
        (OUTAGE, "ocsp-then-crl", False),
    ],
)
def test_a_tile_warns_while_nothing_stands_in_for_the_responder_that_is_out(
    outage: Opening | None, policy: StatusPolicyName, uncertain: bool
) -> None:
    (tile,) = list_tiles(("type1", policy), outage=outage)
    assert tile["uncertain"] is uncertain


def test_a_service_of_type_2_has_no_tile() -> None:
    assert [tile["id"] for tile in list_tiles(("type2", "crl"), ("type1", "ocsp"))] == ["1"]
