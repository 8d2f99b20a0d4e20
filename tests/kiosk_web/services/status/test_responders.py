"""A responder that is out of order is left alone for a while; a good answer may serve again for a moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from kiosk_web.pki.circuit import CircuitPolicy
from kiosk_web.pki.plan import FailureKind, FetchFailure
from kiosk_web.services.status.responders import GuardedFetcher
from tests.support.jpki import NOW

pytestmark = pytest.mark.anyio

URL, OTHER = "http://127.0.0.1:1/ocsp", "http://127.0.0.1:2/ocsp"
POLICY = CircuitPolicy(failures=3, pause=timedelta(seconds=15))


class Network:
    """Answers with what `answers` says, the last of it again and again; waits first where `hold` is set."""

    def __init__(self, *answers: bytes | FailureKind) -> None:
        self.answers = list(answers)
        self.hold: asyncio.Event | None = None
        self.asked: list[str] = []
        self.now: datetime = NOW

    async def fetch_ocsp(self, url: str, request: bytes) -> bytes | FetchFailure:
        self.asked.append(url)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if self.hold is not None:
            await self.hold.wait()
        return FetchFailure(answer) if isinstance(answer, str) else answer

    def guard(self) -> GuardedFetcher:
        return GuardedFetcher(self, POLICY, lambda: self.now)


async def ask(guarded: GuardedFetcher, url: str = URL) -> str:
    answer = await guarded.fetch_ocsp(url, b"request")
    return answer.kind if isinstance(answer, FetchFailure) else answer.decode()


async def test_after_three_failures_nobody_waits_for_the_fourth() -> None:
    network = Network("timeout", "refused", "reset", b"late")
    guarded = network.guard()
    assert [await ask(guarded) for _ in range(5)] == ["timeout", "refused", "reset", "circuit_open", "circuit_open"]
    assert len(network.asked) == 3


async def test_each_responder_has_its_own_circuit() -> None:
    network = Network("refused", "refused", "refused", b"good")
    guarded = network.guard()
    for _ in range(3):
        await ask(guarded)
    assert await ask(guarded) == "circuit_open"
    assert await ask(guarded, OTHER) == "good"


@pytest.mark.parametrize("kind", ["http_status", "too_large", "content_type", "redirect"])
async def test_a_responder_that_answers_badly_is_there(kind: FailureKind) -> None:
    network = Network("timeout", "timeout", kind)
    guarded = network.guard()
    assert [await ask(guarded) for _ in range(8)] == ["timeout", "timeout", *[kind] * 6]


async def test_an_address_that_cannot_be_dialled_says_nothing_of_a_responder() -> None:
    network = Network("address")
    guarded = network.guard()
    assert [await ask(guarded) for _ in range(8)] == ["address"] * 8


async def test_after_the_pause_one_question_is_let_through_and_its_answer_closes_the_circuit() -> None:
    network = Network("timeout", "timeout", "timeout", b"good")
    guarded = network.guard()
    for _ in range(3):
        await ask(guarded)
    network.now += timedelta(seconds=15)
    network.hold = asyncio.Event()
    probe = asyncio.create_task(ask(guarded))
    while len(network.asked) < 4:
        await asyncio.sleep(0)
    assert [await ask(guarded) for _ in range(3)] == ["circuit_open"] * 3
    network.hold.set()
    assert await probe == "good"
    assert await ask(guarded) == "good"


async def test_a_probe_that_fails_opens_it_for_another_pause() -> None:
    network = Network("timeout")
    guarded = network.guard()
    for _ in range(3):
        await ask(guarded)
    network.now += timedelta(seconds=15)
    assert await ask(guarded) == "timeout"
    network.now += timedelta(seconds=14)
    assert await ask(guarded) == "circuit_open"
    network.now += timedelta(seconds=1)
    assert await ask(guarded) == "timeout"
    assert len(network.asked) == 5


async def test_a_probe_that_is_cancelled_makes_room_for_another() -> None:
    network = Network("timeout", "timeout", "timeout", b"good")
    guarded = network.guard()
    for _ in range(3):
        await ask(guarded)
    network.now += timedelta(seconds=15)
    network.hold = asyncio.Event()
    probe = asyncio.create_task(ask(guarded))
    while len(network.asked) < 4:
        await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    network.hold = None
    assert await ask(guarded) == "good"


async def test_a_probe_that_breaks_makes_room_for_another() -> None:
    class Breaking(Network):
        async def fetch_ocsp(self, url: str, request: bytes) -> bytes | FetchFailure:
            if len(self.asked) == 3:
                self.asked.append(url)
                raise RuntimeError("broken")
            return await super().fetch_ocsp(url, request)

    network = Breaking("timeout", "timeout", "timeout", b"good")
    guarded = network.guard()
    for _ in range(3):
        await ask(guarded)
    network.now += timedelta(seconds=15)
    with pytest.raises(RuntimeError):
        await ask(guarded)
    assert await ask(guarded) == "good"


async def test_one_failure_is_enough_where_the_settings_say_so() -> None:
    network = Network("timeout")
    guarded = GuardedFetcher(network, replace(POLICY, failures=1), lambda: NOW)
    assert [await ask(guarded) for _ in range(2)] == ["timeout", "circuit_open"]
