"""`kiosk staff`: members of staff who may attend a terminal (窓口モード), and what they end for a person."""

from __future__ import annotations

import asyncio
import io
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from kiosk_web.adapters.clock import read_clock
from kiosk_web.services.ports.staff import DEFAULT_FACILITY
from kiosk_web.services.staff.members import StaffService
from kiosk_web.settings.server import Settings

Answer = TypeVar("Answer")

Data = Annotated[Path | None, typer.Option(help="Folder of database and keys.")]
Name = Annotated[str, typer.Argument(help="Name of the member, as shown at the terminal.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def build_staff_commands(
    load: Callable[[Mapping[str, Any]], Settings], telling_errors: Callable[[], AbstractContextManager[None]]
) -> typer.Typer:
    """`load` reads the settings, `telling_errors` turns what a person can mend into one line."""
    commands = typer.Typer(help="Staff who may attend a terminal; end a person's かざし利用.", no_args_is_help=True)

    def run(data: Path | None, work: Callable[[StaffService], Awaitable[Answer]]) -> Answer:
        with telling_errors():
            return asyncio.run(_run(load({"data": data}), work))

    @commands.command("add")
    def add(
        name: Name,
        facility: Annotated[
            str, typer.Option(help="The member attends terminals of this facility.")
        ] = DEFAULT_FACILITY,
        number: Annotated[str, typer.Option(help="Staff number of 4 to 8 digits. Without it one is drawn.")] = "",
        data: Data = None,
        as_json: AsJson = False,
    ) -> None:
        """Print staff number, and once the secret for the authenticator. A known name gets a new secret, and keeps its
        number unless another is given.
        """
        member = run(data, lambda staff: staff.add(name, facility, number))
        if as_json:
            typer.echo(json.dumps(asdict(member), ensure_ascii=False))
            return
        typer.echo(f"{_draw(member.uri)}\n{member.uri}\nsecret: {member.secret}\nThe secret is not shown again.")
        typer.echo(f"staff number: {member.number}")

    @commands.command("list")
    def list_staff(data: Data = None, as_json: AsJson = False) -> None:
        """List the members, their numbers and their facilities. `unreadable`: keys/database.key is not the one that
        sealed the secret; add the member anew.
        """

        async def describe(staff: StaffService) -> list[dict[str, str]]:
            return [
                {
                    "name": one.name,
                    "number": one.number,
                    "facility": one.facility,
                    "condition": "revoked" if one.revoked_at else "active" if staff.is_readable(one) else "unreadable",
                }
                for one in await staff.list_staff()
            ]

        rows = run(data, describe)
        if as_json:
            typer.echo(json.dumps(rows, ensure_ascii=False))
            return
        for row in rows:
            typer.echo(f"{row['condition']:10} {row['number']:8} {row['facility']:16} {row['name']}")

    @commands.command("revoke")
    def revoke(name: Name, data: Data = None) -> None:
        """End a member: a lease that runs is over at once, and no code counts any more."""
        run(data, lambda staff: staff.revoke(name))
        typer.echo(f"{name} is revoked.")

    @commands.command("end-kazashi")
    def end_kazashi(
        system: Annotated[str, typer.Option(help="Id of the cooperating system that the words below belong to.")],
        by: Annotated[str, typer.Option(help="Name of the member of staff who does it.")],
        reason: Annotated[str, typer.Option(help="Why, in one line. No names of residents.")],
        number: Annotated[str, typer.Option(help="User number in that system.")] = "",
        reference: Annotated[str, typer.Option(help="Reference number (受付番号) of the last 30 minutes.")] = "",
        identifier: Annotated[str, typer.Option(help="PPID, or MyKey ID of a library.")] = "",
        data: Data = None,
    ) -> None:
        """End かざし利用 of a person, who lost the card for instance: 暗証番号 first at the next visit."""
        from kiosk_web.services.kazashi.ending import Holder
        from kiosk_web.wiring.links import run_link_desk

        if [bool(number), bool(reference), bool(identifier)].count(True) != 1:
            raise typer.BadParameter("give one of --number, --reference and --identifier")
        holder = Holder(number, reference, identifier)
        with telling_errors():
            settings = load({"data": data})
            asyncio.run(run_link_desk(settings, lambda desk: desk.kazashi.end(system, holder, by, reason)))
        typer.echo("Kazashi is ended. The PIN is asked for at the next visit.")

    return commands


def _draw(text: str) -> str:
    """A QR code of half blocks, readable on a dark terminal."""
    import segno

    drawn = io.StringIO()
    segno.make(text, error="m").terminal(out=drawn, compact=True)
    return drawn.getvalue()


async def _run(settings: Settings, work: Callable[[StaffService], Awaitable[Answer]]) -> Answer:
    from kiosk_web.adapters.store.database import SqlStore
    from kiosk_web.adapters.store.migration import migrate
    from kiosk_web.wiring.kazashi import load_seal

    await asyncio.to_thread(migrate, settings.data)
    seal = load_seal(settings.data, secrets.token_bytes)
    store = SqlStore(settings.data)
    try:
        staff = StaffService(store=store, seal=seal, clock=read_clock, entropy=secrets.token_bytes)
        return await work(staff)
    finally:
        await store.close()
