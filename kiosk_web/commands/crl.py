"""`kiosk crl …`: take revocation lists in, refresh them from their sources, and show what is in force."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosk_web.errors import ListIndexError
from kiosk_web.settings.server import Settings

if TYPE_CHECKING:  # numpy is loaded only when a command runs, so that `kiosk --help` is quick
    from rich.progress import Progress, TaskID

    from kiosk_web.services.lists.intake import ListOutcome

LoadSettings = Callable[[Mapping[str, Any]], Settings]
TellingErrors = Callable[[], AbstractContextManager[None]]

Data = Annotated[Path | None, typer.Option(help="Folder of database, keys and index.")]
Anchors = Annotated[Path | None, typer.Option(help="Folder of root certificates.")]
Deployment = Annotated[str | None, typer.Option(help="demo or production.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait while another process writes the index.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def read_clock() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


def build_crl_commands(load_settings: LoadSettings, telling_errors: TellingErrors) -> typer.Typer:
    """The group of commands. `load_settings` adds file and environment to what was given on the command line."""
    commands = typer.Typer(help="Take in, refresh and show revocation lists.", no_args_is_help=True)

    @commands.command("import")
    def import_lists(
        paths: Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER…", help="Lists in DER.")],
        data: Data = None,
        anchors: Anchors = None,
        deployment: Deployment = None,
        wait: Wait = 0,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge all; change nothing.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Take lists in. Ends with 1 if one was refused, with 2 if nothing was done."""
        from kiosk_web.commands import crl_report
        from kiosk_web.wiring import crl_index

        begin = monotonic()
        with telling_errors(), _telling_index_errors(as_json):
            settings = load_settings({"data": data, "anchors": anchors, "deployment": deployment})
            offers = crl_index.find_lists(paths)
            with _Bar() as bar:
                work = crl_index.import_lists(settings, offers, bar, clock=read_clock, patience=wait, dry=dry_run)
                outcomes = asyncio.run(work)
        if as_json:
            typer.echo(
                json.dumps({"lists": [crl_report.dump_list(outcome) for outcome in outcomes]}, ensure_ascii=False)
            )
        else:
            for line in crl_report.describe_import(outcomes, monotonic() - begin, dry=dry_run):
                typer.echo(line)
        raise typer.Exit(1 if any(outcome.result == "refused" for outcome in outcomes) else 0)

    @commands.command("refresh")
    def refresh(
        source: Annotated[list[str] | None, typer.Option(help="Name of a source; without it, all.")] = None,
        data: Data = None,
        anchors: Anchors = None,
        deployment: Deployment = None,
        wait: Wait = 0,
        as_json: AsJson = False,
        inherit: Annotated[bool, typer.Option("--inherit", hidden=True)] = False,
    ) -> None:
        """Read the sources and take their lists in. Ends with 1 if one failed, with 2 if nothing was done."""
        from kiosk_web.commands import crl_report
        from kiosk_web.wiring import crl_index
        from kiosk_web.wiring.crl_child import begin_as_child

        with telling_errors(), _telling_index_errors(as_json):
            if inherit:
                settings, names = begin_as_child(sys.stdin.read())
            else:
                settings, names = (
                    load_settings({"data": data, "anchors": anchors, "deployment": deployment}),
                    source or [],
                )
            with _Bar() as bar:
                outcomes = asyncio.run(crl_index.refresh_lists(settings, names, bar, clock=read_clock, patience=wait))
        if as_json:
            typer.echo(
                json.dumps({"sources": [crl_report.dump_source(outcome) for outcome in outcomes]}, ensure_ascii=False)
            )
        else:
            for line in crl_report.describe_refresh(outcomes):
                typer.echo(line)
        raise typer.Exit(1 if any(outcome.why for outcome in outcomes) else 0)

    @commands.command("show")
    def show(data: Data = None, as_json: AsJson = False) -> None:
        """Show the lists in force, their age, and what is wrong. Ends with 1 if there is an alarm."""
        from kiosk_web.commands import crl_report
        from kiosk_web.wiring import crl_index

        now = read_clock()
        with telling_errors():
            settings = load_settings({"data": data})
            report = asyncio.run(crl_index.load_report(settings, now))
        if as_json:
            typer.echo(json.dumps(crl_report.dump_report(report, now), ensure_ascii=False, indent=1))
        else:
            for line in crl_report.describe_report(report, now):
                typer.echo(line)
        raise typer.Exit(1 if report.alarms else 0)

    @commands.command("check")
    def check(
        source: Annotated[Path, typer.Argument(metavar="INPUT", help="NDJSON or CSV; -: standard input.")],
        target: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Where the answers go; -: standard output.")],
        form: Annotated[str | None, typer.Option("--format", help="ndjson or csv; else by the input's ending.")] = None,
        resume: Annotated[bool, typer.Option("--resume", help="Go on where a check was ended.")] = False,
        overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew, over an older output.")] = False,
        data: Data = None,
        anchors: Anchors = None,
        deployment: Deployment = None,
        as_json: AsJson = False,
    ) -> None:
        """Check certificates or serial numbers against the lists in force. Ends with 1 if a row was malformed."""
        from kiosk_web.commands import crl_check, crl_report
        from kiosk_web.services.lists import rows as list_rows

        begin = monotonic()
        with telling_errors(), _telling_index_errors(as_json):
            settings = load_settings({"data": data, "anchors": anchors, "deployment": deployment})
            chosen = list_rows.choose_format(source.name, form)
            with _Bar() as bar:
                summary = crl_check.check_rows(
                    settings, source, target, chosen, bar, clock=read_clock, resume=resume, overwrite=overwrite
                )
        if as_json:
            typer.echo(json.dumps(crl_report.dump_check(summary)), err=target == crl_check.STANDARD)
        else:
            for line in crl_report.describe_check(summary, monotonic() - begin):
                typer.echo(line, err=target == crl_check.STANDARD)
        raise typer.Exit(1 if summary.outcomes.get("malformed") else 0)

    @commands.command("sweep")
    def sweep(data: Data = None, as_json: AsJson = False) -> None:
        """Look linked persons up in the lists now, mark those to be checked again. Ends with 1 without any list."""
        from kiosk_web.commands import crl_report
        from kiosk_web.wiring import crl_sweep

        with telling_errors():
            settings = load_settings({"data": data})
            record = asyncio.run(crl_sweep.run_sweep(settings, read_clock))
        typer.echo(json.dumps(crl_report.dump_sweep(record)) if as_json else crl_report.describe_sweep(record))
        raise typer.Exit(1 if record is None else 0)

    return commands


@contextmanager
def _telling_index_errors(as_json: bool) -> Iterator[None]:
    """Trouble with the index as a whole, for a program that reads JSON."""
    try:
        yield
    except ListIndexError as error:
        if not as_json:
            raise
        typer.echo(json.dumps({"error": {"why": error.why, "detail": str(error)}}))
        raise typer.Exit(2) from None


class _Bar:
    """A progress bar on standard error, if somebody looks. Implements `services.lists.refresh.RefreshWatcher`."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        self._progress: Progress = Progress(
            TextColumn("{task.description:20}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._sources: TaskID | None = None
        self._lists: TaskID | None = None
        self._rows: TaskID | None = None

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()

    def tell_sources(self, count: int) -> None:
        self._sources = self._progress.add_task("reading sources", total=count)

    def tell_source(self, source: str) -> None:
        if self._sources is not None:
            self._progress.advance(self._sources)

    def tell_lists(self, count: int, size: int) -> None:
        self._lists = self._progress.add_task(f"taking in {count} of them", total=size)

    def tell_octets(self, octets: int) -> None:
        if self._lists is not None:
            self._progress.advance(self._lists, octets)

    def tell_list(self, outcome: ListOutcome) -> None:
        """The bar counts octets, and the lists are told of at the end."""

    def tell_size(self, octets: int | None) -> None:
        self._rows = self._progress.add_task("checking", total=octets)

    def tell_read(self, octets: int) -> None:
        if self._rows is not None:
            self._progress.update(self._rows, completed=octets)
