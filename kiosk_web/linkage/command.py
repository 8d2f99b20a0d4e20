"""`kiosk linkage-test SYSTEM` (連携テスト)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from kiosk_web.adapters.clock import read_clock
from kiosk_web.errors import KioskError
from kiosk_web.settings.server import Settings

Data = Annotated[Path | None, typer.Option(help="Folder of database and keys.")]


def build_linkage_command(load: Callable[[Mapping[str, Any]], Settings]) -> Callable[..., None]:
    """The command. `load` makes the settings out of what was given."""

    def linkage_test(
        system: Annotated[str, typer.Argument(help="Id of the cooperating system.")],
        report: Annotated[
            Path | None, typer.Option(help="Write the report here as JSON, and beside it as .txt for reading.")
        ] = None,
        client: Annotated[str | None, typer.Option(help="Type 2: a client of the system, as in kiosk client.")] = None,
        client_key: Annotated[Path | None, typer.Option(help="Type 2: its private key, PEM without password.")] = None,
        data: Data = None,
        anchors: Annotated[Path | None, typer.Option(help="Folder of root certificates.")] = None,
        deployment: Annotated[str | None, typer.Option(help="demo or production.")] = None,
        port: Annotated[int | None, typer.Option(help="Port of the resident page of the running server.")] = None,
        staff_port: Annotated[int | None, typer.Option(help="Port of its staff page and API.")] = None,
        ocsp_url: Annotated[str | None, typer.Option(help="Address of the OCSP responder.")] = None,
    ) -> None:
        """Test everything a system needs, against the settings and the running server (連携テスト).

        Ends with 0 if it passed, 1 if a check failed, 2 if it could not run. The outcome is recorded.
        """
        from kiosk_web.adapters.clock_state import read_clock_state
        from kiosk_web.linkage.inquiries import TestClient
        from kiosk_web.linkage.report import build_json, build_lines
        from kiosk_web.linkage.run import run_linkage_test

        if (client is None) != (client_key is None):
            raise typer.BadParameter("give --client and --client-key together")
        given = {
            "data": data,
            "anchors": anchors,
            "deployment": deployment,
            "port": port,
            "staff_port": staff_port,
            "ocsp_url": ocsp_url,
        }
        own = None if client is None or client_key is None else TestClient(client, client_key)
        try:
            found = asyncio.run(run_linkage_test(load(given), system, own, read_clock, read_clock_state()))
            if report is not None:
                report.write_bytes(build_json(found))
                report.with_suffix(".txt").write_text("\n".join(build_lines(found)) + "\n", encoding="utf-8")
        except (KioskError, OSError) as error:
            typer.echo(f"kiosk: {error}", err=True)
            raise typer.Exit(2) from None
        typer.echo("\n".join(build_lines(found)))
        raise typer.Exit(0 if found.passed else 1)

    return linkage_test
