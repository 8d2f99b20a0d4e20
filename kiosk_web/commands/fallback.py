"""`kiosk fallback`: lists in the place of a responder that is out of service, opened and closed by a manager."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from kiosk_web.settings.server import Settings

if TYPE_CHECKING:
    from kiosk_web.services.status.fallback import FallbackService

Answer = TypeVar("Answer")

Data = Annotated[Path | None, typer.Option(help="Folder of database and keys.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def build_fallback_commands(
    load: Callable[[Mapping[str, Any]], Settings], telling_errors: Callable[[], AbstractContextManager[None]]
) -> typer.Typer:
    """`load` reads the settings, `telling_errors` turns what a person can mend into one line."""
    commands = typer.Typer(
        help="Let revocation lists stand in while the responder is out of service.", no_args_is_help=True
    )

    def run(data: Path | None, work: Callable[[FallbackService], Awaitable[Answer]]) -> Answer:
        """One use-case, beside a server that may be running."""
        from kiosk_web.wiring.command import run_fallback

        with telling_errors():
            return asyncio.run(run_fallback(load({"data": data}), work))

    @commands.command("open")
    def open_by_manager(
        until: Annotated[str, typer.Option(help="End: HH:MM (Japan), or ISO 8601 with offset.")],
        reason: Annotated[str, typer.Option(help="Why, in one line; staff see it. No names of residents.")],
        by: Annotated[str, typer.Option(help="Name of the manager who opens it.")],
        data: Data = None,
    ) -> None:
        """Let lists stand in where the responder cannot be reached, from now until the end time.

        The responder is still asked first. A running server follows within a second.
        """
        from kiosk_web.commands.fallback_report import describe_record
        from kiosk_web.pki.fallback import read_until

        try:
            end = read_until(until, datetime.now(UTC))
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--until") from None
        record = run(data, lambda fallback: fallback.open(end, reason, by))
        typer.echo(describe_record(record))

    @commands.command("close")
    def close(data: Data = None) -> None:
        """End what a manager or the automatic rule opened. A configured window goes on."""
        closed = run(data, lambda fallback: fallback.close())
        typer.echo("The fallback is closed." if closed else "No opening was there to close.")

    @commands.command("show")
    def show(data: Data = None, as_json: AsJson = False) -> None:
        """Print why the fallback is open or that it is closed, the configured windows, and the latest openings."""
        from kiosk_web.commands.fallback_report import build_document, describe_overview

        overview = run(data, lambda fallback: fallback.show())
        if as_json:
            typer.echo(json.dumps(build_document(overview), ensure_ascii=False))
            return
        typer.echo("\n".join(describe_overview(overview)))

    return commands
