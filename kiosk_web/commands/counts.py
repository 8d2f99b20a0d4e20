"""`kiosk counts`: how often certificates were confirmed, for the reports to J-LIS and the municipality."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from kiosk_web.identity.counts import MONTH, MonthlyCount, count_months
from kiosk_web.settings.server import Settings

COLUMNS = ("month", "system", "way", "method", "count")


def build_counts_command(
    load: Callable[[Mapping[str, Any]], Settings], telling_errors: Callable[[], AbstractContextManager[None]]
) -> Callable[..., None]:
    """The command. `load` makes the settings out of what was given."""

    def counts(
        month: Annotated[str | None, typer.Option(help="One month of Japan, YYYY-MM; without it, all.")] = None,
        data: Annotated[Path | None, typer.Option(help="Folder of database and keys.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of CSV.")] = False,
    ) -> None:
        """Count confirmations by OCSP and by list, for each cooperating system and month. No personal data."""
        if month is not None and MONTH.fullmatch(month) is None:
            raise typer.BadParameter("write it as YYYY-MM", param_hint="--month")
        with telling_errors():
            found = asyncio.run(_count(load({"data": data}), month))
        typer.echo(build_json(found) if as_json else build_csv(found), nl=as_json)

    return counts


async def _count(settings: Settings, month: str | None) -> tuple[MonthlyCount, ...]:
    from kiosk_web.adapters.store.database import SqlStore
    from kiosk_web.adapters.store.migration import migrate
    from kiosk_web.adapters.store.validation_counts import load_validations

    migrate(settings.data)
    store = SqlStore(settings.data)
    try:
        systems = {service.id: service.system for service in settings.build_offer().services}
        return count_months(await load_validations(store, systems), month)
    finally:
        await store.close()


def build_json(counts: tuple[MonthlyCount, ...]) -> str:
    return json.dumps([asdict(one) for one in counts], ensure_ascii=False)


def build_csv(counts: tuple[MonthlyCount, ...]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(one) for one in counts)
    return text.getvalue()
