"""`kiosk system …`: the introduction of cooperating systems (`docs/introduction.md`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosk_web.settings.server import Settings

if TYPE_CHECKING:
    from kiosk_web.services.introductions import IntroductionView

LoadSettings = Callable[[Mapping[str, Any]], Settings]
TellingErrors = Callable[[], AbstractContextManager[None]]

Data = Annotated[Path | None, typer.Option(help="Folder of database and keys.")]
Deployment = Annotated[str | None, typer.Option(help="demo or production.")]
System = Annotated[str, typer.Argument(help="Id of the cooperating system.")]
By = Annotated[str, typer.Option(help="Name of the member of staff who does it.")]
Note = Annotated[str, typer.Option(help="A word on it, in one line. No names of residents.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def build_system_commands(load: LoadSettings, telling_errors: TellingErrors) -> typer.Typer:
    """The group `kiosk system`."""
    commands = typer.Typer(help="Introduce cooperating systems (連携システム), stage by stage.", no_args_is_help=True)

    def choose(data: Path | None, deployment: str | None) -> Settings:
        return load({"data": data, "deployment": deployment})

    @commands.command("list")
    def list_systems(data: Data = None, deployment: Deployment = None, as_json: AsJson = False) -> None:
        """All systems with their stages."""
        from kiosk_web.wiring.introduction import load_introductions

        with telling_errors():
            views = load_introductions(choose(data, deployment))
        if as_json:
            typer.echo(json.dumps([build_document(view) for view in views], ensure_ascii=False))
            return
        for view in views:
            missing = f"   {view.missing}" if view.missing else ""
            typer.echo(f"{view.introduction.stage:14} {view.system.id:24} {view.system.name.ja}{missing}")

    @commands.command("show")
    def show(system: System, data: Data = None, deployment: Deployment = None, as_json: AsJson = False) -> None:
        """One system: stage, pledge, newest linkage test, and how it came there."""
        from kiosk_web.wiring.introduction import run_introductions

        with telling_errors():
            view = run_introductions(choose(data, deployment), lambda introductions: introductions.show(system))
        typer.echo(json.dumps(build_document(view), ensure_ascii=False) if as_json else "\n".join(describe(view)))

    @commands.command("advance")
    def advance(
        system: System,
        by: By,
        to: Annotated[str | None, typer.Option(help="The stage; without it the next one. Back: to any.")] = None,
        note: Note = "",
        data: Data = None,
        deployment: Deployment = None,
    ) -> None:
        """To the next stage, or back to an earlier one. A running server follows at once."""
        from kiosk_web.wiring.introduction import run_introductions

        with telling_errors():
            moved = run_introductions(
                choose(data, deployment), lambda introductions: introductions.advance(system, to, by, note)
            )
        typer.echo(f"{system} is at the stage {moved.stage}.")

    @commands.command("pledge")
    def pledge(
        system: System,
        by: By,
        signed: Annotated[str, typer.Option(help="The day on the pledge (誓約書), YYYY-MM-DD.")],
        note: Note = "",
        data: Data = None,
        deployment: Deployment = None,
    ) -> None:
        """Record the day of the confidentiality pledge."""
        from kiosk_web.wiring.introduction import run_introductions

        try:
            day = date.fromisoformat(signed)
        except ValueError:
            raise typer.BadParameter("write it as YYYY-MM-DD", param_hint="--signed") from None
        with telling_errors():
            run_introductions(
                choose(data, deployment), lambda introductions: introductions.pledge(system, day, by, note)
            )
        typer.echo(f"The pledge of {day} is recorded for {system}.")

    return commands


def build_document(view: IntroductionView) -> dict[str, object]:
    """The JSON of one system."""
    report = view.report
    return {
        "system": view.system.id,
        "name": view.system.name.ja,
        "profiles": sorted(view.profiles),
        "stage": view.introduction.stage,
        "pledged_on": None if view.introduction.pledged_on is None else view.introduction.pledged_on.isoformat(),
        "linkage_test": None
        if report is None
        else {"passed": report.passed, "sha256": report.sha256.hex(), "tested_at": report.tested_at.isoformat()},
        "missing": view.missing,
        "steps": [
            {"stage": step.stage, "at": step.at.isoformat(), "by": step.by, "note": step.note} for step in view.steps
        ],
    }


def describe(view: IntroductionView) -> list[str]:
    """Lines for a person."""
    report = view.report
    tested = "never"
    if report is not None:
        tested = (
            f"{'passed' if report.passed else 'failed'} {report.tested_at:%Y-%m-%d %H:%M} UTC, {report.sha256.hex()}"
        )
    lines = [
        f"{view.system.id}  {view.system.name.ja} ({', '.join(sorted(view.profiles)) or 'no service'})",
        f"stage         {view.introduction.stage}",
        f"pledge        {view.introduction.pledged_on or 'none'}",
        f"linkage test  {tested}",
    ]
    if view.missing:
        lines.append(f"missing       {view.missing}")
    lines += [f"    {step.at:%Y-%m-%d %H:%M} UTC  {step.stage:14} {step.by}  {step.note}" for step in view.steps]
    return [line.rstrip() for line in lines]
