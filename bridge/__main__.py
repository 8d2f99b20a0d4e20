"""kiosk-bridge: the command line of the bridge. Exit codes: 0 stopped as asked, 2 wrong usage, 3 cannot run, 4 not
enrolled.
"""

from __future__ import annotations

import asyncio
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bridge import __version__
from bridge.enrolment import enrol as enrol_terminal
from bridge.errors import EnrolmentError, SettingsError
from bridge.log import configure_log
from bridge.peer import find_user_number
from bridge.personal.command import personal, personal_window
from bridge.service import run_bridge
from bridge.settings import BridgeSettings
from bridge.window.session import show_window

EXIT_CANNOT_RUN = 3
EXIT_NOT_ENROLLED = 4
DESKTOP = ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE")

app = typer.Typer(
    name="kiosk-bridge",
    help="The bridge between a card reader and the pages that may use it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback with local variables could show a PIN
)

State = Annotated[
    Path,
    typer.Option(help="Folder with this terminal's key; owner-only.", envvar="KIOSK_BRIDGE_STATE", show_envvar=True),
]


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class SideName(StrEnum):
    LEFT = "left"
    RIGHT = "right"


class DeploymentName(StrEnum):
    DEMO = "demo"
    PRODUCTION = "production"


class ReaderKeypadName(StrEnum):
    OFF = "off"
    ON = "on"


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"kiosk-bridge {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """The bridge between a card reader and the pages that may use it."""


@app.command()
def enrol(
    server: Annotated[str, typer.Option(help="Address of the kiosk server.", envvar="KIOSK_BRIDGE_SERVER")],
    code: Annotated[str, typer.Option(help="The code that `kiosk terminal add` printed.", envvar="KIOSK_BRIDGE_CODE")],
    state: State,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the terminal that is there.")] = False,
) -> None:
    """Make this computer a terminal of a kiosk server."""
    configure_log("warning")
    try:
        terminal = enrol_terminal(server, code, state, replace=replace)
    except EnrolmentError as trouble:
        _fail(str(trouble), EXIT_NOT_ENROLLED)
    else:
        typer.echo(f"This computer is now terminal {terminal.id}; its page is {terminal.origin}")


@app.command()
def run(
    state: State,
    port: Annotated[
        int, typer.Option(help="Port on 127.0.0.1; 0 chooses a free one.", envvar="KIOSK_BRIDGE_PORT")
    ] = 8481,
    port_file: Annotated[Path | None, typer.Option(help="Write the port here once the bridge listens.")] = None,
    virtual: Annotated[Path | None, typer.Option(help="Use the virtual reader in this folder.")] = None,
    pcsc: Annotated[bool, typer.Option("--pcsc", help="Use the readers of PC/SC.")] = False,
    deployment: Annotated[
        DeploymentName,
        typer.Option(help="In production, nothing virtual is accepted.", envvar="KIOSK_BRIDGE_DEPLOYMENT"),
    ] = DeploymentName.DEMO,
    allow_birth_key_without_limit: Annotated[
        bool,
        typer.Option(
            "--allow-birth-key-without-limit",
            help="Enrol for kazashi also a card that names no limit of tries for the birth date.",
            envvar="KIOSK_BRIDGE_ALLOW_BIRTH_KEY_WITHOUT_LIMIT",
        ),
    ] = False,
    reader_keypad: Annotated[
        ReaderKeypadName,
        typer.Option(
            help="Have PINs typed on the reader's own keys, where it has any. Try it with a test card first.",
            envvar="KIOSK_BRIDGE_READER_KEYPAD",
        ),
    ] = ReaderKeypadName.OFF,
    page_user: Annotated[
        str | None,
        typer.Option(
            help="The user, by name or number, as whom the browser runs: programs of all others are refused. Linux.",
            envvar="KIOSK_BRIDGE_PAGE_USER",
        ),
    ] = None,
    log_level: Annotated[
        LogLevel, typer.Option(help="How much is logged on standard error.", envvar="KIOSK_BRIDGE_LOG_LEVEL")
    ] = LogLevel.INFO,
) -> None:
    """Serve the card reader to the page until SIGINT or SIGTERM."""
    if pcsc == (virtual is not None):
        _fail("choose either --pcsc or --virtual FOLDER", 2)
    configure_log(log_level.value)
    try:
        settings = BridgeSettings(
            state=state,
            port=port,
            port_file=port_file,
            virtual=virtual,
            deployment=deployment.value,
            allow_birth_key_without_limit=allow_birth_key_without_limit,
            reader_keypad=reader_keypad.value,
            page_user=None if page_user is None else find_user_number(page_user),
            desktop={name: os.environ[name] for name in DESKTOP if name in os.environ},
        )
        asyncio.run(run_bridge(settings))
    except SettingsError as trouble:
        _fail(str(trouble), EXIT_CANNOT_RUN)
    except KeyboardInterrupt:
        return  # before the handlers were in place


@app.command()
def window(
    state: State,
    page: Annotated[
        str | None, typer.Option(help="Origin of the page, if this user cannot read the terminal's folder.")
    ] = None,
    browser: Annotated[str | None, typer.Option(help="The browser's program; else Chromium, Chrome or Edge.")] = None,
    side: Annotated[SideName, typer.Option(help="Edge of the screen.")] = SideName.RIGHT,
    width: Annotated[int, typer.Option(help="Pixels, 360 to 480.")] = 420,
    more: Annotated[list[str] | None, typer.Argument(help="Further options for the browser, after --.")] = None,
) -> None:
    """Show the page in a narrow window that never takes the keyboard, until SIGINT or SIGTERM. X11."""
    configure_log("info")
    try:
        show_window(
            state,
            page=page,
            browser=browser,
            side="left" if side is SideName.LEFT else "right",
            width=width,
            more=more or (),
            environment=dict(os.environ),
        )
    except SettingsError as trouble:
        _fail(str(trouble), EXIT_CANNOT_RUN)


app.command()(personal)
app.command(hidden=True)(personal_window)


def _fail(message: str, exit_code: int) -> None:
    typer.echo(f"kiosk-bridge: {message}", err=True)
    raise typer.Exit(exit_code)


def _forbid_core_dumps() -> None:
    """No crash writes this memory, through which PINs pass, to a disk; whoever starts the program."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """The program."""
    _forbid_core_dumps()
    app()


if __name__ == "__main__":
    main()
