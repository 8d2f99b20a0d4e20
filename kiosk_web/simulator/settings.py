"""Settings of the simulator, and the refusal to run beside a production kiosk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kiosk_web.simulator.names import Arc

#: Exit code of a refused start: EX_CONFIG of sysexits.h.
REFUSED_EXIT_CODE = 78
_LOOPBACK = ("127.0.0.1", "localhost")


class SimulatorRefused(Exception):
    """The simulator must not or cannot run with these settings; the message is for the person who started it."""


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """`folder` holds everything. Port 0 takes a free one. Times in seconds.

    The demo desk is served on `desk_port` for the addresses in `desk_file` (`desk.py`), and not without the port.
    """

    folder: Path
    host: str = "127.0.0.1"
    ocsp_port: int = 0
    tray_port: int = 0
    desk_port: int | None = None
    desk_file: Path | None = None
    ready_file: Path | None = None
    deployment: str = "demo"
    arc: Arc = Arc.PRODUCTION
    grid_seconds: int = 15 * 60
    slow_seconds: float = 10.0


def judge_settings(settings: SimulatorSettings) -> None:
    """Raise `SimulatorRefused` unless this is a demo on the loopback interface."""
    if settings.deployment == "production":
        raise SimulatorRefused(
            "The simulator does not run when the deployment is production: its keys are known to everybody. "
            "Unset KIOSK_DEPLOYMENT, or set it to demo, on a machine that serves no residents."
        )
    if settings.deployment != "demo":
        raise SimulatorRefused(f"Unknown deployment {settings.deployment!r}: demo or production.")
    if settings.host not in _LOOPBACK:
        raise SimulatorRefused(f"The simulator listens on {_LOOPBACK[0]} only, not on {settings.host}.")
    if settings.folder.exists() and not settings.folder.is_dir():
        raise SimulatorRefused(f"{settings.folder.name} is not a folder.")
