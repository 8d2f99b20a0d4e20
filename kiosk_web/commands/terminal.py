"""`kiosk terminal`: add, list and revoke terminals, beside a server that may be running."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from kiosk_web.settings.server import Settings

if TYPE_CHECKING:
    from kiosk_web.services.terminals.enrolment import EnrolmentService

Answer = TypeVar("Answer")

Data = Annotated[Path | None, typer.Option(help="Folder of database and keys.")]
Name = Annotated[str, typer.Argument(help="Name of the terminal, as staff know it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Facility = Annotated[str | None, typer.Option(help="Whose staff may attend it; a new one's is main unless given.")]


def build_terminal_commands(
    load: Callable[[Mapping[str, Any]], Settings], telling_errors: Callable[[], AbstractContextManager[None]]
) -> typer.Typer:
    """`load` reads the settings, `telling_errors` turns what a person can mend into one line."""
    commands = typer.Typer(help="Add, list and revoke terminals.", no_args_is_help=True)

    def run(data: Path | None, work: Callable[[EnrolmentService], Awaitable[Answer]]) -> Answer:
        from kiosk_web.wiring.command import run_enrolment

        with telling_errors():
            return asyncio.run(run_enrolment(load({"data": data}), work))

    @commands.command("add")
    def add(name: Name, facility: Facility = None, data: Data = None, as_json: AsJson = False) -> None:
        """Print a code with which a bridge enrols as this terminal: one use, 24 hours. An earlier one ends."""
        invitation = run(data, lambda enrolment: enrolment.add_terminal(name, facility))
        if invitation.replaces_code:
            typer.echo(f"The code printed before for {name} has ended.", err=True)
        if invitation.replaces_key:
            typer.echo(f"{name} is enrolled; the key it has now ends when this code is used.", err=True)
        if as_json:
            typer.echo(json.dumps({"terminal": invitation.terminal, "name": name, "code": invitation.code}))
        else:
            typer.echo(invitation.code)

    @commands.command("list")
    def list_all(data: Data = None, as_json: AsJson = False) -> None:
        """List the terminals: enrolled, waiting for their bridge, or revoked."""
        records = run(data, lambda enrolment: enrolment.list_terminals())
        rows = [{"name": record.name, "terminal": record.id, "condition": record.condition} for record in records]
        if as_json:
            typer.echo(json.dumps(rows, ensure_ascii=False))
            return
        for row in rows:
            typer.echo(f"{row['condition']:10} {row['name']}")

    @commands.command("revoke")
    def revoke(name: Name, data: Data = None) -> None:
        """End a terminal: its page is stopped at once and its key is refused from now on."""
        run(data, lambda enrolment: enrolment.revoke_terminal(name))
        typer.echo(f"{name} is revoked.")

    return commands
