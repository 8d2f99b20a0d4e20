"""`kiosk counts` after real visits and validations by API."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

from typer.testing import CliRunner

from kiosk_web.__main__ import app
from kiosk_web.identity.counts import MonthlyCount, Validation, count_months
from kiosk_web.pki.plan import FetchFailure
from tests.support.api_client import register
from tests.support.kiosk_server import run_stand


def test_a_month_is_one_of_japan() -> None:
    late = datetime(2026, 10, 31, 15, 0, tzinfo=UTC)  # 0:00 in Japan
    early = datetime(2026, 10, 31, 14, 59, tzinfo=UTC)
    validations = [Validation("s", "ocsp", "terminal", late)] * 2 + [Validation("s", "crl", "api", early)]
    assert count_months(validations) == (
        MonthlyCount("2026-10", "s", "api", "crl", 1),
        MonthlyCount("2026-11", "s", "terminal", "ocsp", 2),
    )
    assert count_months(validations, "2026-10") == (MonthlyCount("2026-10", "s", "api", "crl", 1),)
    assert count_months([], "2026-10") == ()


async def play(folder: Path) -> tuple[Path, str]:
    """Three visits, one call, and a visit without an answer: the data and the month."""
    async with run_stand(folder) as stand:
        terminal, card = await stand.opened(), stand.card()
        for service in ("facility", "facility", "library"):
            await stand.identify(terminal, card, service)
            await terminal.take_card()
        client = await (await register(stand)).sign_in()
        await client.validate(card)
        await client.http.aclose()
        stand.responder.failure = FetchFailure("refused")
        await stand.identify(terminal, card)
        await terminal.client.aclose()
        return stand.data, f"{stand.clock.now:%Y-%m}"


def test_visits_and_calls_are_counted_where_somebody_was_asked(tmp_path: Path) -> None:
    data, month = asyncio.run(play(tmp_path))
    given = ["counts", f"--data={data}"]
    assert CliRunner().invoke(app, given).stdout == (
        "month,system,way,method,count\n"
        f"{month},city-library,terminal,ocsp,1\n"
        f"{month},facility-booking,api,ocsp,1\n"
        f"{month},facility-booking,terminal,ocsp,2\n"
    )
    told = json.loads(CliRunner().invoke(app, [*given, "--json", f"--month={month}"]).stdout)
    assert told[0] == {"month": month, "system": "city-library", "way": "terminal", "method": "ocsp", "count": 1}
    assert json.loads(CliRunner().invoke(app, [*given, "--json", "--month=1999-01"]).stdout) == []
    assert CliRunner().invoke(app, [*given, "--month=2026-13"]).exit_code == 2
