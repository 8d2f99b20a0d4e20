"""`python -m bridge.virtual PROFILE --vpcd HOST:PORT`: put a virtual card into the reader of a real PC/SC service."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from bridge.virtual.profile import ProfileMalformed
from bridge.virtual.tray import open_tray
from bridge.virtual.vpcd import VpcdClient


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM. Exit status 2 when the arguments or the profile are wrong."""
    parser = argparse.ArgumentParser(prog="python -m bridge.virtual", description=__doc__)
    parser.add_argument("profile", type=Path, help="a card profile folder, or a folder with reader.json to follow")
    parser.add_argument("--vpcd", required=True, type=_parse_address, metavar="HOST:PORT", help="where vpcd listens")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        tray = open_tray(given.profile)
    except ProfileMalformed as trouble:
        parser.error(str(trouble))
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    host, port = given.vpcd
    VpcdClient(tray, host, port, stop).run()
    return 0


def _parse_address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError("not HOST:PORT")
    return host, int(port)


if __name__ == "__main__":
    sys.exit(main())
