"""The command line `kiosk`: the only place that reads arguments and the environment; commands wire and run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from kiosk_web import __version__
from kiosk_web.simulator.command import simulate

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
    port: Annotated[int, typer.Option(help="Port of the kiosk page; four others follow it. 0: free ports.")] = 8480,
    ready_file: Annotated[Path | None, typer.Option(help="Write the addresses here as JSON, once all answer.")] = None,
    data: Annotated[Path, typer.Option(help="Where keys, visits and logs of the demo are kept.")] = Path(".demo"),
    pcsc: Annotated[bool, typer.Option("--pcsc", help="Use real PC/SC readers instead of the virtual one.")] = False,
    no_bridge: Annotated[bool, typer.Option("--no-bridge", help="Start no bridge; print how to start it.")] = False,
) -> None:
    """Start simulator, kiosk and bridge on this computer; Ctrl-C stops all."""
    from rich.console import Console

    from kiosk_web.demo import DemoSettings, run_demo

    settings = DemoSettings(
        port=port, data=data.resolve(), ready_file=ready_file, pcsc=pcsc, start_bridge=not no_bridge
    )
    raise typer.Exit(run_demo(settings, os.environ, Console(highlight=False)))


app.add_typer(simulate)


def main() -> None:
    """Entry point of the installed program."""
    app(prog_name="kiosk")


if __name__ == "__main__":
    main()
