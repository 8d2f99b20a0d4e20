"""The command line `kiosk`: the only place that reads arguments and the environment; commands wire and run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from kiosk_web import __version__
from kiosk_web.commands.client import build_client_commands
from kiosk_web.commands.counts import build_counts_command
from kiosk_web.commands.crl import build_crl_commands
from kiosk_web.commands.fallback import build_fallback_commands
from kiosk_web.commands.link import build_link_commands, build_mykey_commands, build_person_commands
from kiosk_web.commands.staff import build_staff_commands
from kiosk_web.commands.system import build_system_commands
from kiosk_web.commands.terminal import build_terminal_commands
from kiosk_web.demo.ports import DEFAULT_PORT
from kiosk_web.errors import KioskError
from kiosk_web.linkage.command import build_linkage_command
from kiosk_web.log import configure_log
from kiosk_web.settings.server import Settings, load_settings
from kiosk_web.simulator.command import simulate
from kiosk_web.vector_unit import choose_vector_unit, load_processor_description
from kiosk_web.verify.command import VerifyCommand, verify

app = typer.Typer(
    name="kiosk",
    help="The My Number Card kiosk: server, simulator and tools.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kiosk {__version__}")
        raise typer.Exit


@app.callback()
def kiosk(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """The My Number Card kiosk: server, simulator and tools."""


@app.command()
def demo(
    port: Annotated[
        int, typer.Option(help="Port of the kiosk page; ten others follow it. 0: free ports.")
    ] = DEFAULT_PORT,
    ready_file: Annotated[Path | None, typer.Option(help="Write the addresses here as JSON, once all answer.")] = None,
    data: Annotated[Path, typer.Option(help="Where keys, visits and logs of the demo are kept.")] = Path(".demo"),
    pcsc: Annotated[bool, typer.Option("--pcsc", help="Use real PC/SC readers instead of the virtual one.")] = False,
    no_bridge: Annotated[bool, typer.Option("--no-bridge", help="Start no bridge; print how to start it.")] = False,
    no_open: Annotated[bool, typer.Option("--no-open", help="Open no browser.")] = False,
) -> None:
    """Start simulator, kiosk and bridge on this computer; Ctrl-C stops all."""
    from rich.console import Console

    from kiosk_web.demo.command import run_demo
    from kiosk_web.demo.settings import DemoSettings

    settings = DemoSettings(
        port=port,
        data=data.resolve(),
        ready_file=ready_file,
        pcsc=pcsc,
        start_bridge=not no_bridge,
        open_desk=not no_open and sys.stdout.isatty(),  # whoever starts it from a program gets no window
    )
    raise typer.Exit(run_demo(settings, os.environ, Console(highlight=False)))


app.add_typer(simulate)


@app.command()
def serve(
    data: Annotated[Path | None, typer.Option(help="Folder of database and keys.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the resident page; 0: a free one.")] = None,
    staff_port: Annotated[int | None, typer.Option(help="Port of the staff page; 0: a free one.")] = None,
    bridge_port: Annotated[int | None, typer.Option(help="Port on which the terminal's bridge listens.")] = None,
    anchors: Annotated[Path | None, typer.Option(help="Folder of root certificates.")] = None,
    ocsp_url: Annotated[str | None, typer.Option(help="Address of the OCSP responder.")] = None,
    deployment: Annotated[str | None, typer.Option(help="demo or production.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="Write the addresses here as JSON, once all answer.")] = None,
) -> None:
    """Serve the resident page and the staff page until Ctrl-C."""

    from kiosk_web.event_loop import run_in_loop
    from kiosk_web.server import serve as serve_until_stopped
    from kiosk_web.state_file import write_json

    with _telling_errors():
        settings = load_settings(
            {
                "data": data,
                "port": port,
                "staff_port": staff_port,
                "bridge_port": bridge_port,
                "anchors": anchors,
                "ocsp_url": ocsp_url,
                "deployment": deployment,
            },
            os.environ,
        )

        def tell(addresses: dict[str, Any]) -> None:
            if ready_file is not None:
                write_json(ready_file, addresses)
            typer.echo(f"kiosk page {addresses['kiosk']}   staff page {addresses['staff']}")

        run_in_loop(serve_until_stopped(settings, tell))


@app.command()
def migrate(
    data: Annotated[Path | None, typer.Option(help="Folder of database and keys.")] = None,
) -> None:
    """Bring the database to the form of this version."""
    from kiosk_web.adapters.store.migration import migrate as migrate_database

    with _telling_errors():
        settings = _load({"data": data})
        applied = migrate_database(settings.data)
    typer.echo("The database was brought up to date." if applied else "The database is up to date.")


@app.command()
def doctor(
    data: Annotated[Path | None, typer.Option(help="Folder of database and keys.")] = None,
    anchors: Annotated[Path | None, typer.Option(help="Folder of root certificates.")] = None,
    deployment: Annotated[str | None, typer.Option(help="demo or production.")] = None,
) -> None:
    """Print the trust anchors with fingerprint, validity and generation, the state of the clock, and what is wrong.

    Ends with 1 if residents cannot be served.
    """
    from datetime import UTC, datetime

    from kiosk_web.adapters.clock_state import read_clock_state
    from kiosk_web.adapters.store.database import load_revision
    from kiosk_web.adapters.store.migration import HEAD
    from kiosk_web.commands.doctor import (
        examine_anchors,
        examine_clock,
        examine_introductions,
        examine_kazashi,
        examine_pins,
    )
    from kiosk_web.wiring.introduction import load_introductions

    with _telling_errors():
        settings = _load({"data": data, "anchors": anchors, "deployment": deployment})
    clock = examine_clock(read_clock_state(), required=settings.needs_synchronised_clock)
    diagnosis = examine_anchors(
        settings.anchors,
        production=not settings.demo,
        confirmed_fingerprints=settings.confirmed_fingerprints,
        now=datetime.now(UTC),
    )
    pins = examine_pins(pin.build_pin() for pin in settings.ocsp_pins)
    kazashi = examine_kazashi(settings.kazashi, production=not settings.demo)
    # A look changes nothing: the database is neither made nor migrated for it.
    with _telling_errors():
        recorded = load_introductions(settings) if load_revision(settings.data) == HEAD else None
    systems = examine_introductions(recorded)
    typer.echo("\n".join((*diagnosis.lines, *pins.lines, *clock.lines, *kazashi.lines, *systems.lines)))
    raise typer.Exit(0 if diagnosis.healthy and clock.healthy and kazashi.healthy else 1)


@contextmanager
def _telling_errors() -> Iterator[None]:
    """What a person can mend is told in one line, with exit status 2."""
    try:
        yield
    except KioskError as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(2) from None


def _load(given: Mapping[str, Any]) -> Settings:
    return load_settings(given, os.environ)


app.command("linkage-test")(build_linkage_command(_load))
app.command(cls=VerifyCommand)(verify)
app.command("counts")(build_counts_command(_load, _telling_errors))
for name, build in {
    "terminal": build_terminal_commands,
    "fallback": build_fallback_commands,
    "crl": build_crl_commands,
    "client": build_client_commands,
    "link": build_link_commands,
    "mykey": build_mykey_commands,
    "person": build_person_commands,
    "staff": build_staff_commands,
    "system": build_system_commands,
}.items():
    app.add_typer(build(_load, _telling_errors), name=name)


def _forbid_core_dumps() -> None:
    """No crash writes this memory, through which the basic 4 information passes, to a disk; whoever starts it."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Entry point of the installed program. All commands log to standard error, as programs read what they print."""
    _forbid_core_dumps()
    configure_log()
    choose_vector_unit(load_processor_description(), os.environ)
    app(prog_name="kiosk")


if __name__ == "__main__":
    main()
