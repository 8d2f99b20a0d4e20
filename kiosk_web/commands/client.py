"""`kiosk client`: programs of the municipality that may call the API (`docs/api.md`)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from kiosk_web.adapters.clock import read_clock
from kiosk_web.errors import ClientError
from kiosk_web.settings.server import Settings

if TYPE_CHECKING:
    from kiosk_web.services.api.clients import ClientService

Answer = TypeVar("Answer")

Data = Annotated[Path | None, typer.Option(help="Folder of database and keys.")]
Name = Annotated[str, typer.Argument(help="Name of the client: its client_id.")]
Key = Annotated[Path, typer.Option("--key", help="Public key, PEM or JWK: Ed25519, P-256, or RSA from 2048 bits.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def build_client_commands(
    load: Callable[[Mapping[str, Any]], Settings], telling_errors: Callable[[], AbstractContextManager[None]]
) -> typer.Typer:
    """The group. `load` makes the settings out of what was given; `telling_errors` ends with status 2."""
    commands = typer.Typer(help="Add, list and revoke programs that call the API.", no_args_is_help=True)

    def run(data: Path | None, work: Callable[[ClientService], Awaitable[Answer]]) -> Answer:
        from kiosk_web.wiring.api import run_clients

        return asyncio.run(run_clients(load({"data": data}), read_clock, work))

    @commands.command("add")
    def add_client(
        name: Name,
        key: Key,
        method: Annotated[
            list[str], typer.Option(help="ocsp, crl or ocsp-then-crl; may be repeated, the first is the usual one.")
        ],
        system: Annotated[
            list[str] | None, typer.Option(help="A cooperating system it speaks for; may be repeated.")
        ] = None,
        links: Annotated[
            list[str] | None, typer.Option(help="A system whose links it may read and change; may be repeated.")
        ] = None,
        origin: Annotated[
            list[str] | None, typer.Option(help="Origin of a page where residents use it; may be repeated.")
        ] = None,
        rate: Annotated[int, typer.Option(help="Requests a minute.")] = 600,
        terminal: Annotated[
            list[str] | None, typer.Option(help="A terminal at which it may ask for a reading; may be repeated.")
        ] = None,
        redirect_uri: Annotated[
            list[str] | None, typer.Option(help="An address to which a browser may be sent back; may be repeated.")
        ] = None,
        data: Data = None,
        as_json: AsJson = False,
    ) -> None:
        """Register a client with its public key. Its name is its client_id."""
        with telling_errors():
            pem = load_key(key)
            record, added = run(
                data,
                lambda clients: clients.add_client(
                    name,
                    pem,
                    systems=system or [],
                    methods=method,
                    origins=origin or [],
                    rate=rate,
                    terminals=terminal or [],
                    link_systems=links or [],
                    redirect_uris=redirect_uri or [],
                ),
            )
        if as_json:
            typer.echo(json.dumps({"client": record.name, "key": added.id}))
        else:
            typer.echo(f"{record.name} may call the API with the key {added.id}.")

    @commands.command("list")
    def list_clients(data: Data = None, as_json: AsJson = False) -> None:
        """List the clients with what each may do."""
        with telling_errors():
            records = run(data, lambda clients: clients.list_clients())
        rows = [
            {
                "client": record.name,
                "condition": "revoked" if record.revoked_at else "in force",
                "systems": list(record.systems),
                "methods": list(record.methods),
                "origins": list(record.origins),
                "rate": record.rate,
                "terminals": list(record.terminals),
                "links": list(record.link_systems),
                "redirect_uris": list(record.redirect_uris),
            }
            for record in records
        ]
        if as_json:
            typer.echo(json.dumps(rows, ensure_ascii=False))
            return
        for row, record in zip(rows, records, strict=True):
            origins = " ".join(record.origins) or "no origin"
            systems = ", ".join(record.systems) or "no system"
            may = f"{systems} by {', '.join(record.methods)}, {record.rate} a minute, {origins}"
            if record.terminals:
                may += f", readings at {' '.join(record.terminals)}"
            if record.link_systems:
                may += f", links of {' '.join(record.link_systems)}"
            if record.redirect_uris:
                may += f", back to {' '.join(record.redirect_uris)}"
            typer.echo(f"{row['condition']:10} {record.name:32} {may}")

    @commands.command("rotate")
    def rotate_key(
        name: Name,
        key: Key,
        overlap_hours: Annotated[float, typer.Option(help="How long the old key goes on. 0: it ends now.")] = 0,
        data: Data = None,
    ) -> None:
        """Give a client another key. Access tokens that it got with the old one end with that."""
        with telling_errors():
            pem = load_key(key)
            added = run(data, lambda clients: clients.rotate_key(name, pem, timedelta(hours=overlap_hours)))
        typer.echo(f"{name} may call the API with the key {added.id}.")

    @commands.command("revoke")
    def revoke_client(name: Name, data: Data = None) -> None:
        """End a client: its keys and access tokens are refused from now on."""
        with telling_errors():
            run(data, lambda clients: clients.revoke_client(name))
        typer.echo(f"{name} is revoked.")

    return commands


def load_key(path: Path) -> bytes:
    """What is in the file. Raises `ClientError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ClientError(f"{path}: {error.strerror or 'cannot be read'}") from None
