"""Work that comes again and again: one bad round does not end it."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from kiosk_web.services.rounds import go_round

pytestmark = pytest.mark.anyio


async def test_a_round_that_fails_is_told_without_its_words_and_the_next_one_is_tried() -> None:
    rounds = 0

    async def work() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise ValueError("0123456789")
        if rounds == 3:
            raise asyncio.CancelledError

    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await go_round(work, "upkeep", pause_seconds=0)
    assert rounds == 3
    assert [(entry["event"], entry["error"]) for entry in logs] == [("upkeep", "ValueError")]
    assert "0123456789" not in str(logs)
