"""`kiosk link …`, `mykey …`, `person …`: what the link desk does, and libraries with files (`docs/linking.md`)."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from kiosk_web.errors import FILE_REFUSALS
from kiosk_web.identity.number_files import ENCODINGS, Encoding
from kiosk_web.settings.server import Settings

if TYPE_CHECKING:
    from kiosk_web.services.links.files import Advance, FileReport
    from kiosk_web.services.links.linking import FoundLink
    from kiosk_web.wiring.links import LinkDesk

Answer = TypeVar("Answer")
LoadSettings = Callable[[Mapping[str, Any]], Settings]
TellingErrors = Callable[[], AbstractContextManager[None]]

Data = Annotated[Path | None, typer.Option(help="Folder of database and keys.")]
System = Annotated[str, typer.Option(help="Id of the cooperating system.")]
By = Annotated[str, typer.Option(help="Name of the member of staff who does it.")]
Reason = Annotated[str, typer.Option(help="Why, in one line. No names of residents.")]
Number = Annotated[str, typer.Option(help="User number in that system.")]
Identifier = Annotated[str, typer.Option(help="PPID in that system, or MyKey ID of a library.")]
Reference = Annotated[str, typer.Option(help="Reference number (受付番号) of a visit of the last 30 minutes.")]
MyKeyId = Annotated[str, typer.Argument(metavar="MYKEY-ID", help="The 8 letters and digits.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV.", exists=True, dir_okay=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Judge all; change nothing.")]
Report = Annotated[Path | None, typer.Option(help="Write line and outcome of every row here, as CSV.")]
InEncoding = Annotated[str, typer.Option("--encoding", help="utf-8, utf-8-sig or cp932.")]


def build_link_commands(load_settings: LoadSettings, telling_errors: TellingErrors) -> typer.Typer:
    """The group `kiosk link`."""
    commands = typer.Typer(help="Link persons and user numbers (連携登録).", no_args_is_help=True)

    def run(data: Path | None, work: Callable[[LinkDesk], Awaitable[Answer]]) -> Answer:
        return _run(load_settings, telling_errors, data, work)

    @commands.command("find")
    def find(
        system: System, by: By, reason: Reason, number: Number = "", reference: Reference = "", data: Data = None
    ) -> None:
        """Is this very number linked, or which number has the person of this visit?"""
        if bool(number) == bool(reference):
            raise typer.BadParameter("give either --number or --reference")
        if number:
            _print_link(run(data, lambda desk: desk.linking.look_up_number(system, number, by, reason)))
        else:
            _print_link(run(data, lambda desk: desk.linking.look_up_visit(reference, system, by, reason)))

    @commands.command("add")
    def add(system: System, reference: Reference, number: Number, by: By, reason: Reason, data: Data = None) -> None:
        """Link the person of a visit to a user number."""
        _print_link(run(data, lambda desk: desk.linking.link_visit(reference, system, number, by, reason, "command")))

    @commands.command("end")
    def end(system: System, number: Number, by: By, reason: Reason, data: Data = None) -> None:
        """End the link of a user number."""
        run(data, lambda desk: desk.linking.unlink(system, number, by, reason))
        typer.echo("The link is ended.")

    @commands.command("relink")
    def relink(
        system: System, reference: Reference, by: By, reason: Reason,
        number: Number = "", identifier: Identifier = "", data: Data = None,
    ) -> None:  # fmt: skip
        """The visitor with a new card is the person who has this number or identifier: one person again.

        Only where a revocation list names the old certificate.
        """
        if bool(number) == bool(identifier):
            raise typer.BadParameter("give either --number or --identifier")
        done = run(
            data, lambda desk: desk.relinking.relink(reference, system, number, by, reason, identifier=identifier)
        )
        typer.echo(f"The new card belongs to the person of that {'number' if number else 'identifier'}.")
        for name in done.ended:
            typer.echo(f"The PPID of that visit ended in {name}." if name else "The MyKey ID of that visit ended.")

    @commands.command("confirm")
    def confirm(system: System, number: Number, by: By, reason: Reason, data: Data = None) -> None:
        """The change of the basic 4 information was taken over into the system."""

        async def work(desk: LinkDesk) -> None:
            await desk.standing.confirm_by_staff(system, desk.linking.read_number(system, number), by, reason)

        run(data, work)
        typer.echo("Confirmed as of today.")

    @commands.command("numbers")
    def numbers(
        file: File, system: System, by: By, reason: Reason, encoding: InEncoding = "utf-8",
        dry_run: DryRun = False, report: Report = None, data: Data = None,
    ) -> None:  # fmt: skip
        """Replace the list of valid numbers: only these may be linked from now on."""
        _run_file(run, "import_valid_numbers", file, system, by, reason, encoding, dry_run, report, data)

    @commands.command("unlink-file")
    def unlink_file(
        file: File, system: System, by: By, reason: Reason, encoding: InEncoding = "utf-8",
        dry_run: DryRun = False, report: Report = None, data: Data = None,
    ) -> None:  # fmt: skip
        """End the links of all numbers in a file."""
        _run_file(run, "unlink", file, system, by, reason, encoding, dry_run, report, data)

    @commands.command("renumber")
    def renumber(
        file: File, system: System, by: By, reason: Reason, encoding: InEncoding = "utf-8",
        dry_run: DryRun = False, report: Report = None, data: Data = None,
    ) -> None:  # fmt: skip
        """Give linked persons their new numbers: a file of two columns, old and new."""
        _run_file(run, "renumber", file, system, by, reason, encoding, dry_run, report, data)

    return commands


def build_mykey_commands(load_settings: LoadSettings, telling_errors: TellingErrors) -> typer.Typer:
    """The group `kiosk mykey`."""
    commands = typer.Typer(help="Stop, resume and supersede a MyKey ID.", no_args_is_help=True)

    @commands.command("stop")
    def stop(name: MyKeyId, by: By, reason: Reason, data: Data = None) -> None:
        """Its holder is refused at library services from now on."""
        _run(load_settings, telling_errors, data, lambda desk: desk.mykey.stop(name.upper(), by, reason))
        typer.echo("Stopped.")

    @commands.command("resume")
    def resume(name: MyKeyId, by: By, reason: Reason, data: Data = None) -> None:
        """A stopped one is in use again."""
        _run(load_settings, telling_errors, data, lambda desk: desk.mykey.resume(name.upper(), by, reason))
        typer.echo("In use again.")

    @commands.command("supersede")
    def supersede(name: MyKeyId, by: By, reason: Reason, data: Data = None) -> None:
        """Give its holder another one, and print that."""
        typer.echo(
            _run(load_settings, telling_errors, data, lambda desk: desk.mykey.supersede(name.upper(), by, reason))
        )

    return commands


def build_person_commands(load_settings: LoadSettings, telling_errors: TellingErrors) -> typer.Typer:
    """The group `kiosk person`."""
    commands = typer.Typer(help="Delete a person who asks for it at the counter.", no_args_is_help=True)

    @commands.callback()
    def keep_the_group() -> None:
        """A group of one command would lose its name."""

    @commands.command("delete")
    def delete(reference: Reference, by: By, reason: Reason, data: Data = None) -> None:
        """Delete everything that names the person of a visit. It cannot be undone."""
        systems = _run(load_settings, telling_errors, data, lambda desk: desk.deletion.delete(reference, by, reason))
        typer.echo("Deleted. The next visit is a new person's.")
        for name in systems:
            typer.echo(f"The PPID of that person ended in {name}: tell that system.")

    return commands


def _run(
    load_settings: LoadSettings,
    telling_errors: TellingErrors,
    data: Path | None,
    work: Callable[[LinkDesk], Awaitable[Answer]],
) -> Answer:
    from kiosk_web.wiring.links import run_link_desk

    with telling_errors():
        return asyncio.run(run_link_desk(load_settings({"data": data}), work))


def _print_link(link: FoundLink) -> None:
    if link.user_number is None or link.linked_at is None:
        typer.echo("not linked")
        return
    typer.echo(f"{link.user_number}  linked since {link.linked_at.isoformat(timespec='minutes')}")


def _run_file(
    run: Callable[[Path | None, Callable[[LinkDesk], Awaitable[FileReport]]], FileReport],
    method: str,
    file: Path,
    system: str,
    by: str,
    reason: str,
    encoding: str,
    dry_run: bool,
    report: Path | None,
    data: Path | None,
) -> None:
    """Ends with 1 if anything stands in the way of the file; then nothing was changed."""
    chosen: Encoding | None = next((known for known in ENCODINGS if known == encoding), None)
    if chosen is None:
        raise typer.BadParameter(f"one of {', '.join(ENCODINGS)}", param_hint="--encoding")
    content = file.read_bytes()
    with _bar() as advance:
        outcome = run(
            data,
            lambda desk: getattr(desk.files, method)(system, content, chosen, by, reason, dry=dry_run, advance=advance),
        )
    if report is not None:
        _write_report(report, outcome)
    for line in _describe(outcome, dry=dry_run):
        typer.echo(line)
    raise typer.Exit(0 if outcome.accepted else 1)


@contextmanager
def _bar() -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("rows", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _write_report(path: Path, outcome: FileReport) -> None:
    """Line and outcome alone: whoever has the file knows the numbers."""
    rows: list[tuple[int, str]] = [(wrong.line, wrong.error) for wrong in outcome.errors] or [*outcome.rows]
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(("line", "outcome"))
        writer.writerows(rows)


def _describe(outcome: FileReport, *, dry: bool) -> list[str]:
    if outcome.applied_before is not None:
        when = outcome.applied_before.isoformat(timespec="minutes")
        return [f"This very file was applied at {when}; nothing was done."]
    wrong: list[tuple[int, str]] = [(one.line, one.error) for one in outcome.errors] or [*outcome.conflicts]
    lines = [f"line {line}: {name}: {FILE_REFUSALS[name]}" for line, name in wrong[:20]]
    if len(wrong) > len(lines):
        lines.append(f"… and {len(wrong) - len(lines)} more lines")
    counts: dict[str, int] = {}
    for _line, name in () if wrong else outcome.rows:
        counts[name] = counts.get(name, 0) + 1
    lines += [f"{name:20} {count}" for name, count in sorted(counts.items())]
    if outcome.left:
        lines.append(f"{outcome.left} linked numbers are not on the list; their links stay.")
    if not outcome.accepted:
        lines.append("Nothing was changed.")
    elif dry:
        lines.append("Dry run: nothing was changed.")
    return lines
