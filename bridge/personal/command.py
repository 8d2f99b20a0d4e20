"""`kiosk-bridge personal`: the command line of personal mode, and of the window that it opens."""

from __future__ import annotations

import asyncio
import locale
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bridge.errors import SettingsError
from bridge.log import configure_log
from bridge.personal.settings import PERSONAL_PORT, PersonalSettings
from bridge.personal.words import Language

EXIT_CANNOT_RUN = 3
NO_TKINTER = "the window needs Tk: on Debian and Ubuntu install python3-tk; other Pythons bring it"


class LanguageName(StrEnum):
    JA = "ja"
    EN = "en"


class Deployment(StrEnum):
    DEMO = "demo"
    PRODUCTION = "production"


def personal(
    virtual: Annotated[Path | None, typer.Option(help="Use the virtual reader in this folder.")] = None,
    virtual_reader: Annotated[str, typer.Option(help="Its file in that folder.")] = "reader.json",
    pcsc: Annotated[bool, typer.Option("--pcsc", help="Use the readers of PC/SC.")] = False,
    port: Annotated[
        int, typer.Option(help="Port on 127.0.0.1, where pages look for it; 0 chooses a free one.")
    ] = PERSONAL_PORT,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="The only pages that may ask, such as https://www.example.lg.jp. Without: any https page."),
    ] = None,
    language: Annotated[LanguageName | None, typer.Option(help="Language of the window; else the system's.")] = None,
    deployment: Annotated[
        Deployment, typer.Option(help="Only a demo accepts a virtual reader or a simulated card.")
    ] = Deployment.PRODUCTION,
    development: Annotated[
        bool, typer.Option("--development", help="Admit pages of this computer without TLS, too.")
    ] = False,
    ready_file: Annotated[Path | None, typer.Option(help="Write the addresses here once it listens.")] = None,
    demo_window_port: Annotated[
        int | None, typer.Option(help="In a demo without a desktop: port of a page that stands for the window.")
    ] = None,
    demo_frame: Annotated[str, typer.Option(help="In such a demo: origin of the desk that shows that page.")] = "",
    demo_fonts: Annotated[Path | None, typer.Option(help="For that page: folder with fonts.css.")] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error, on standard error.")] = "info",
) -> None:
    """Let web pages ask who the resident at this computer is; a window of the bridge itself asks back."""
    if pcsc == (virtual is not None):
        _fail("choose either --pcsc or --virtual FOLDER", 2)
    if log_level not in ("debug", "info", "warning", "error"):
        _fail("--log-level is debug, info, warning or error", 2)
    configure_log(log_level)
    from bridge.personal.run import run_personal

    try:
        settings = PersonalSettings(
            port=port,
            ready_file=ready_file,
            virtual=virtual,
            virtual_reader=virtual_reader,
            deployment="demo" if deployment is Deployment.DEMO else "production",
            origins=tuple(origin or ()),
            development=development,
            language=_choose_language(language),
            stand_in_port=demo_window_port,
            stand_in_frame=demo_frame,
            stand_in_fonts=demo_fonts,
        )
        asyncio.run(run_personal(settings))
    except SettingsError as trouble:
        _fail(str(trouble), EXIT_CANNOT_RUN)
    except KeyboardInterrupt:
        return


def personal_window(
    language: LanguageName = LanguageName.JA,
    check: Annotated[bool, typer.Option("--check", help="Only find out whether a window can be opened.")] = False,
) -> None:
    """The window of one request; started by `personal` alone."""
    try:
        from bridge.personal.tk_window import run_window
    except ImportError:
        _fail(NO_TKINTER, EXIT_CANNOT_RUN)
    trouble = run_window("en" if language is LanguageName.EN else "ja", check=check)
    if trouble:
        _fail(trouble, EXIT_CANNOT_RUN)


def _choose_language(named: LanguageName | None) -> Language:
    if named is not None:
        return "en" if named is LanguageName.EN else "ja"
    system = locale.getlocale()[0] or ""
    return "en" if system.lower().startswith("en") else "ja"


def _fail(message: str, exit_code: int) -> None:
    typer.echo(f"kiosk-bridge: {message}", err=True)
    raise typer.Exit(exit_code)
