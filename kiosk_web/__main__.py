"""The command line `kiosk`: the only place that reads arguments and the environment. Each command wires one part and runs it."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="kiosk",
    help="The My Number Card kiosk: server, simulator and tools.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


def main() -> None:
    """Entry point of the installed program."""
    app()


if __name__ == "__main__":
    main()
