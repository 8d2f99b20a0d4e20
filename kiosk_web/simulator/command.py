"""`kiosk simulate`: start the virtual JPKI and the card tray, or change what the register says of one person."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # the certificates are loaded only when a command runs, so that `kiosk --help` is quick
    from kiosk_web.simulator.office import Office
    from kiosk_web.simulator.register import Entry
    from kiosk_web.simulator.settings import SimulatorSettings

simulate = typer.Typer(
    name="simulate",
    help="The virtual JPKI and the card tray, for demos and tests. Never on a machine that serves residents.",
    invoke_without_command=True,
)

Folder = Annotated[Path, typer.Option("--folder", help="Where authorities, cards and the register are kept.")]
Deployment = Annotated[
    str, typer.Option("--deployment", envvar="KIOSK_DEPLOYMENT", help="demo; with production nothing here runs.")
]
PersonId = Annotated[str, typer.Argument(metavar="PERSON", help="Id of a person, as in GET /people.")]


@simulate.callback()
def start(
    context: typer.Context,
    folder: Folder = Path(".simulator"),
    ocsp_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of OCSP and lists. 0: a free one.")] = 0,
    tray_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the card tray. 0: a free one.")] = 0,
    desk_port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the demo desk.")] = None,
    desk_file: Annotated[Path | None, typer.Option(help="The addresses that the desk shows, as JSON.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="Write the addresses here as JSON, once both answer.")] = None,
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
    deployment: Deployment = "demo",
    test_arc: Annotated[
        bool, typer.Option("--test-arc", help="Issue with the policy identifiers of test cards.")
    ] = False,
) -> None:
    """Serve the virtual JPKI and the card tray until Ctrl-C, or run one of the commands below."""
    if context.invoked_subcommand is not None:
        _hand_on(context, context.invoked_subcommand, folder)
        return
    from kiosk_web.simulator.names import Arc
    from kiosk_web.simulator.settings import SimulatorSettings

    settings = SimulatorSettings(
        folder=folder.resolve(),
        host=host,
        ocsp_port=ocsp_port,
        tray_port=tray_port,
        desk_port=desk_port,
        desk_file=desk_file,
        ready_file=ready_file,
        deployment=deployment,
        arc=Arc.TEST if test_arc else Arc.PRODUCTION,
    )
    _guard(lambda: asyncio.run(_serve(settings)))


@simulate.command()
def issue(person: PersonId, folder: Folder = Path(".simulator"), deployment: Deployment = "demo") -> None:
    """A new card: new keys and certificates, the old ones end, nothing links them."""
    _change(folder, deployment, lambda office: office.issue(person))


@simulate.command()
def renew(person: PersonId, folder: Folder = Path(".simulator"), deployment: Deployment = "demo") -> None:
    """New certificates on the same card; the register knows which one follows which."""
    _change(folder, deployment, lambda office: office.renew(person))


@simulate.command()
def revoke(
    person: PersonId,
    folder: Folder = Path(".simulator"),
    deployment: Deployment = "demo",
    reason: Annotated[str, typer.Option(help="affiliationChanged, cessationOfOperation or superseded.")] = (
        "cessationOfOperation"
    ),
) -> None:
    """End both certificates of a person."""

    def run(office: Office) -> Entry:
        from kiosk_web.simulator.register import Reason, RegisterError

        try:
            return office.revoke(person, Reason(reason))
        except ValueError:
            raise RegisterError(f"unknown reason {reason!r}; known: {', '.join(r.value for r in Reason)}") from None

    _change(folder, deployment, run)


@simulate.command()
def hold(person: PersonId, folder: Folder = Path(".simulator"), deployment: Deployment = "demo") -> None:
    """Suspend both certificates of a person."""
    _change(folder, deployment, lambda office: office.hold(person))


@simulate.command()
def release(person: PersonId, folder: Folder = Path(".simulator"), deployment: Deployment = "demo") -> None:
    """Lift a suspension."""
    _change(folder, deployment, lambda office: office.release(person))


@simulate.command()
def move(
    person: PersonId,
    address: Annotated[str, typer.Argument(help="The new address, prefecture first.")],
    folder: Folder = Path(".simulator"),
    deployment: Deployment = "demo",
) -> None:
    """Record a new address: the signature certificate ends, the authentication certificate goes on."""
    _change(folder, deployment, lambda office: office.move(person, address))


def _hand_on(context: typer.Context, command: str, folder: Path) -> None:
    """The folder may stand before the command as well as behind it; whatever else does would be of no effect there."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is None or source.name != "COMMANDLINE":
            continue
        if parameter.name != "folder":
            raise typer.BadParameter(f"has no place before '{command}'", context, param_hint=parameter.opts[0])
        context.default_map = {command: {"folder": str(folder)}}


async def _serve(settings: SimulatorSettings) -> None:
    from kiosk_web.simulator.server import Ready, serve_simulator

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):  # the last one is how Windows asks
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), on_signal)

    def show(ready: Ready) -> None:
        typer.echo(f"card tray  {ready.tray}\nocsp       {ready.ocsp}\nanchors    {ready.anchors}")

    await serve_simulator(settings, show, stop=stop)


def _change(folder: Path, deployment: str, command: Callable[[Office], Entry]) -> None:
    def run() -> None:
        from kiosk_web.simulator.hierarchy import is_new
        from kiosk_web.simulator.server import open_simulator
        from kiosk_web.simulator.settings import SimulatorRefused, SimulatorSettings, judge_settings

        settings = SimulatorSettings(folder=folder.resolve(), deployment=deployment)
        judge_settings(settings)
        if is_new(settings.folder):
            raise SimulatorRefused("No simulator was ever started in this folder: give the same --folder.")
        simulator = open_simulator(settings)
        try:
            entry = command(simulator.office)
        finally:
            simulator.register.close()
        typer.echo(f"{entry.person}: {entry.state.value}, serial {entry.serial:08X} of {entry.authority}")

    _guard(run)


def _guard(run: Callable[[], None]) -> None:
    """Named errors become one line and an exit code."""
    from kiosk_web.simulator.hierarchy import StateDamaged
    from kiosk_web.simulator.office import UnknownPerson
    from kiosk_web.simulator.register import RegisterError
    from kiosk_web.simulator.settings import REFUSED_EXIT_CODE, SimulatorRefused

    try:
        run()
    except SimulatorRefused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED_EXIT_CODE) from None
    except (StateDamaged, UnknownPerson, RegisterError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
