"""What breaks in a step of one validation by API is that validation's alone; what ends the program is for everybody."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from kiosk_web.errors import KioskError
from kiosk_web.pki.status_policy import StatusContext
from kiosk_web.services.api.visits import RemoteVisit, RemoteVisits
from kiosk_web.services.ports.clients import ClientRecord
from tests.support.jpki import NOW

CLIENT = ClientRecord("home", ("facility",), ("crl",), (), 60, NOW)


class Panic(BaseException):
    """As of a library in Rust: no `Exception`."""


def serve(broken: BaseException) -> list[RemoteVisit]:
    """Two validations, the first of which meets `broken` where its challenge is used up. The second has none."""

    async def consume_challenge(challenge_id: str, *given: object) -> None:
        if challenge_id == "first":
            raise broken

    async def add_visits(records: list[object]) -> None:
        assert records == []

    transaction: Any = SimpleNamespace(
        remote=SimpleNamespace(consume_challenge=consume_challenge, add_visits=add_visits)
    )
    nothing: Any = None
    service = RemoteVisits(
        store=nothing, validation=nothing, issuance=nothing, fallback=nothing, in_use=nothing, systems_by_list=(),
        clock=lambda: NOW,
    )  # fmt: skip
    asked = [RemoteVisit(CLIENT, name, b"", b"", "crl", StatusContext()) for name in ("first", "second")]
    with pytest.raises(StopIteration):  # by hand: a loop would end with what ends the program
        service.serve(transaction, asked).send(None)
    return asked


@pytest.mark.parametrize("broken", [Panic(), ValueError()], ids=["panic", "error"])
def test_what_breaks_ends_one_validation_and_not_its_neighbour(broken: BaseException) -> None:
    first, second = serve(broken)
    assert isinstance(first.ended, KioskError if isinstance(broken, Panic) else ValueError)
    assert second.ended is not None
    assert not isinstance(second.ended, Exception)


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_what_ends_the_program_is_no_error_of_a_validation(ending: type[BaseException]) -> None:
    with pytest.raises(ending):
        serve(ending())
