"""`kiosk demo`: the whole product on one computer, with a virtual JPKI and virtual cards.

Here is the life of the command: its folder, its end, its exit status. `processes` starts the simulator, the kiosk and
the bridge as child processes, `registration` enrols the bridge as a terminal, `welcome` says where everything is.
Nothing here imports `bridge`: that is another program, here as everywhere else. All is on 127.0.0.1.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.text import Text

from kiosk_web.demo.children import Children, ChildTrouble, StopAsked
from kiosk_web.demo.neighbours import Neighbours, open_in_browser
from kiosk_web.demo.ports import PortTrouble, choose_ports
from kiosk_web.demo.processes import Demo, config_file
from kiosk_web.demo.settings import DemoSettings
from kiosk_web.demo.welcome import print_welcome
from kiosk_web.file_lock import LockHeld, hold_lock


class DemoTrouble(Exception):
    """The demo cannot start, and the text says what to do about it."""


def run_demo(settings: DemoSettings, environment: Mapping[str, str], console: Console) -> int:
    """Run until Ctrl-C or SIGTERM (status 0), or until something goes wrong (status 1, with a message)."""
    stop_asked = threading.Event()
    _listen_for_stop(stop_asked)
    try:
        with _own_folder(settings.data):
            children = Children(settings.data / "logs", _child_environment(environment, settings.data), stop_asked)
            ports = choose_ports(settings.port, settings.data / "ports.json")
            demo = Demo(settings, children, ports, Neighbours(settings.data, children, ports))
            try:
                with console.status("Starting the simulator, the kiosk and the bridge ..."):
                    ready = demo.start()
                print_welcome(console, settings, ready)
                if settings.open_desk:
                    open_in_browser(ready["desk"], environment)
                children.watch("bridge", lambda: demo.write_ready_file(ready))
            except StopAsked:
                pass
            finally:
                if settings.ready_file is not None:
                    settings.ready_file.unlink(missing_ok=True)
                children.stop()
    except (DemoTrouble, PortTrouble, ChildTrouble) as trouble:
        console.print(Text(f"\n{trouble}"), soft_wrap=True)
        return 1
    console.print("Stopped.")
    return 0


@contextmanager
def _own_folder(data: Path) -> Iterator[None]:
    """Make the folder, private, and hold it against a second demo until the block ends, however it ends."""
    try:
        for folder in (data, data / "logs", data / "run"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DemoTrouble(f"The folder {data} cannot be used for the demo: {error.strerror}.") from None
    try:
        with hold_lock(data / "lock"):
            yield
    except LockHeld:
        raise DemoTrouble(f"Another demo is running with the data in {data}; use another --data folder.") from None


def _listen_for_stop(stop_asked: threading.Event) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        stop_asked.set()

    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, stop)


def _child_environment(environment: Mapping[str, str], data: Path) -> dict[str, str]:
    """Ours without the settings of another kiosk on this computer: the demo is the same everywhere."""
    kept = {name: value for name, value in environment.items() if not name.upper().startswith("KIOSK_")}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "KIOSK_CONFIG": str(config_file(data))}
