"""Which user of this computer opened a connection from the loopback address (Linux). The kernel's own table says so:
any program can send the right Host and Origin, none can send another user's number.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from bridge.errors import SettingsError
from bridge.gate import Refusal

TABLE = Path("/proc/self/net/tcp")
_ESTABLISHED = "01"

Address = tuple[str, int]


class PeerGate:
    """Lets in who runs as the user `number`, and nobody of whom the table knows nothing."""

    def __init__(self, number: int, table: Path = TABLE) -> None:
        self._number = number
        self._table = table

    def judge(self, peer: Address, own: Address) -> Refusal | None:
        """`peer` has connected to `own`."""
        try:
            user = find_user(self._table.read_text(encoding="ascii"), peer, own)
        except (OSError, ValueError):
            user = None
        return None if user == self._number else Refusal(403, "user")


def find_user(table: str, peer: Address, own: Address) -> int | None:
    """The owner of the socket at `peer` that is connected to `own`, by a table as in `proc(5)`, `/proc/net/tcp`. None
    where there is no such socket. PURE. Raises `ValueError` for a line that is none.
    """
    ends = _write(peer), _write(own)
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and (fields[1], fields[2], fields[3]) == (*ends, _ESTABLISHED):
            return int(fields[7])
    return None


def find_user_number(name: str) -> int:
    """Of a user of this computer, by name or number. Raises `SettingsError`."""
    if sys.platform != "linux":
        raise SettingsError("--page-user needs Linux, whose kernel says who opened a connection")
    import pwd

    try:
        return (pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)).pw_uid
    except (KeyError, OverflowError):
        raise SettingsError(f"--page-user: there is no user {name!a} on this computer") from None


def _write(address: Address) -> str:
    """As the kernel does: the four octets as one number of this processor, and the port, in hexadecimal."""
    host, port = address
    return f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"
