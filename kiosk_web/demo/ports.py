"""The ports of the demo: given, or found free and kept, so that bookmarks and the enrolled origin stay."""

from __future__ import annotations

import random
import socket
import sys
from pathlib import Path

from kiosk_web.state_file import load_json, write_json

HOST = "127.0.0.1"
DEFAULT_PORT = 8480
PORT_NAMES = (
    *("kiosk", "bridge", "staff", "ocsp", "tray", "desk", "library", "facility"),
    *("homepage", "personal", "window"),
)
# below those that systems hand out for outgoing connections: nobody takes one meanwhile
_FREE_PORTS = range(20_000, 30_000)


class PortTrouble(Exception):
    """A port cannot be used; the text says which, and how to choose others."""


def choose_ports(first: int, remembered: Path) -> dict[str, int]:
    """The port of each listener: those from `first` on; if that is 0, the `remembered` ones or free ones.

    All are free at this moment; PortTrouble names one that is taken.
    """
    if first != 0:
        ports = {name: first + offset for offset, name in enumerate(PORT_NAMES)}
        if max(ports.values()) > 65_535:
            raise PortTrouble(
                f"The {len(PORT_NAMES)} ports from {first} on would end above 65535; choose a lower --port."
            )
        for name, port in ports.items():
            if not _is_free(port):
                raise PortTrouble(
                    f"Port {port} (for the {name}) is taken by another program, maybe by another demo.\n"
                    f"Choose others with --port {first + 1000}, or let free ones be found with --port 0."
                )
        return ports
    kept = load_json(remembered)
    if set(kept) != set(PORT_NAMES) or not all(isinstance(port, int) and _is_free(port) for port in kept.values()):
        candidates = random.SystemRandom().sample(_FREE_PORTS, 200)
        kept = dict(zip(PORT_NAMES, filter(_is_free, candidates), strict=False))
        write_json(remembered, kept)
    return kept


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if sys.platform != "win32":  # there the option would let two programs share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
