"""The virtual card as a client of vpcd, the virtual reader of vsmartcard: real pcscd and every PC/SC program see it.

The protocol (virtualsmartcard, `src/vpcd/vpcd.h`): each message is a two-byte big-endian length and a body. A body of
one byte is control: 0 power off, 1 power on, 2 reset, 4 asks for the ATR; anything longer is a command APDU. To connect
is to insert the card, to close is to remove it.
"""

from __future__ import annotations

import logging
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from bridge.errors import CardError, CardRemoved
from bridge.virtual.insertion import Insertion
from bridge.virtual.profile import ProfileMalformed
from bridge.virtual.tray import Placed, Tray

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 0.03
_RETRY_SECONDS: Final = 0.1
# pcscd looks every 400 ms whether a card is there; one that comes back sooner was, for pcscd, never away.
_AWAY_SECONDS: Final = 0.6
_CONNECT_SECONDS: Final = 5.0
_POWER_OFF, _POWER_ON, _RESET, _GIVE_ATR = 0, 1, 2, 4
# vpcd takes a card without ATR for no card at all; this one byte is no ATR, so pcscd finds the card mute.
_MUTE_ATR: Final = b"\x00"
# Without it each answer of Debian 12's vpcd waits 44 ms for a delayed acknowledgement. Linux only; it does not stick.
_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)


class VpcdClient:
    """Puts the card of a tray into the reader behind `host`:`port`, until `stop` is set."""

    def __init__(self, tray: Tray, host: str, port: int, stop: threading.Event) -> None:
        self._tray = tray
        self._address = host, port
        self._stop = stop
        self._told = ""

    def run(self) -> None:
        """Blocks. Waits for vpcd as long as it is away."""
        finished: Placed | None = None
        while not self._stop.is_set():
            placed = self._tray.look()
            if placed is None or placed.profile is None or placed == finished:
                self._stop.wait(_LOOK_SECONDS)
            elif self._serve_placed(placed):
                finished = placed

    def _serve_placed(self, placed: Placed) -> bool:
        """Serve the cards of one placing; False when vpcd went away and the card shall come again."""
        profile = placed.profile
        while profile is not None:
            try:
                insertion = Insertion(profile)
            except ProfileMalformed as trouble:
                _log.warning("virtual card %s: %s", profile.name, trouble)
                return True
            try:
                swapped_for = self._serve(insertion, placed)
            except CardRemoved:
                self._stop.wait(_AWAY_SECONDS)
                return False
            except (CardError, OSError) as trouble:
                self._tell(trouble)
                self._stop.wait(_RETRY_SECONDS)
                return False
            profile = self._tray.find(swapped_for) if swapped_for else None
            self._stop.wait(_AWAY_SECONDS)
        return True

    def _tell(self, trouble: Exception) -> None:
        """Say it once per outage, not at each of the ten looks a second."""
        if str(trouble) != self._told:
            self._told = str(trouble)
            _log.info("vpcd at %s:%d: %s; waiting for it", *self._address, trouble)

    def _serve(self, insertion: Insertion, placed: Placed) -> str | None:
        """Answer until the profile takes the card away; the profile that follows it, if any.

        Raises `CardRemoved` when the tray changed, `OSError` when vpcd went away.
        """

        def still_there() -> bool:
            return not self._stop.is_set() and self._tray.look() == placed

        with _connect(self._address) as connection:
            self._told = ""
            while True:
                frame = _receive_frame(connection, still_there)
                if not still_there():
                    raise CardRemoved("the virtual card was lifted")
                if len(frame) > 1:
                    exchange = insertion.transmit(frame, still_there)
                    if not exchange.lost:
                        _send_frame(connection, exchange.response)
                    if exchange.removed:
                        return exchange.swapped_for
                elif frame == bytes((_GIVE_ATR,)):
                    _send_frame(connection, insertion.atr or _MUTE_ATR)
                elif frame == bytes((_RESET,)):
                    insertion.reset()
                elif frame in (bytes((_POWER_OFF,)), bytes((_POWER_ON,))):
                    insertion.power_off()


@contextmanager
def _connect(address: tuple[str, int]) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=_CONNECT_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def _send_frame(connection: socket.socket, body: bytes) -> None:
    connection.sendall(len(body).to_bytes(2, "big") + body)


def _receive_frame(connection: socket.socket, still_there: Callable[[], bool]) -> bytes:
    length = int.from_bytes(_receive(connection, 2, still_there), "big")
    return _receive(connection, length, still_there)


def _receive(connection: socket.socket, length: int, still_there: Callable[[], bool]) -> bytes:
    received = b""
    while len(received) < length:
        if not select.select([connection], [], [], _LOOK_SECONDS)[0]:
            if not still_there():
                raise CardRemoved("the virtual card was lifted")
            continue
        if _QUICKACK is not None:
            connection.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        chunk = connection.recv(length - len(received))
        if not chunk:
            raise ConnectionResetError("vpcd closed the connection")
        received += chunk
    return received
