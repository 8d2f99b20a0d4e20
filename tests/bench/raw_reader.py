"""The virtual reader by the lowest calls of pyscard, with nothing of the bridge between: what it is held to."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from smartcard import scard

from bridge.card.mynumber import MyNumberCard
from tests.support.pcscd import READER

_SECONDS = 10
_LOOK_SECONDS = 0.002


class RawTrouble(Exception):
    """A call returned a code that ends the measurement."""


@dataclass(frozen=True, slots=True)
class RawStep:
    """`whole` from the context to the last answer, `exchanges` the part of the commands alone; in seconds."""

    whole: float
    exchanges: float


class RawReader:
    """Each use opens a context of its own, connects exclusively, and leaves the card without power."""

    def record_reading(self) -> list[bytes]:
        """The commands with which the product reads certificate and tries left of the card that lies there."""
        context, card = self._open()
        recording = _Recording(card)
        try:
            reading = MyNumberCard(recording)
            reading.recognise()
            reading.read_authentication_certificate()
            reading.read_pin_tries_left()
        finally:
            self._close(context, card)
        return recording.commands

    def run_step(self, commands: Sequence[bytes]) -> RawStep:
        lists = [list(command) for command in commands]
        began = time.perf_counter()
        context, card = self._open()
        opened = time.perf_counter()
        for command in lists:
            code, _ = scard.SCardTransmit(card, scard.SCARD_PCI_T1, command)
            _require(code, "SCardTransmit")
        ended = time.perf_counter()
        self._close(context, card)
        return RawStep(ended - began, ended - opened)

    def wait_until_free(self) -> None:
        """Blocks until nobody else holds the card."""
        pause = threading.Event()
        give_up = time.monotonic() + _SECONDS
        while True:
            try:
                self._close(*self._open())
                return
            except RawTrouble:
                if time.monotonic() > give_up:
                    raise
                pause.wait(_LOOK_SECONDS)

    def wait_for_service(self) -> None:
        """Blocks until the service answers a program."""
        pause = threading.Event()
        give_up = time.monotonic() + _SECONDS
        while True:
            code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
            if code == scard.SCARD_S_SUCCESS:
                scard.SCardReleaseContext(context)
                return
            if time.monotonic() > give_up:
                raise RawTrouble(f"SCardEstablishContext: {code & 0xFFFFFFFF:08X}")
            pause.wait(_LOOK_SECONDS)

    def _open(self) -> tuple[Any, Any]:
        code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        _require(code, "SCardEstablishContext")
        code, card, _ = scard.SCardConnect(context, READER, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T1)
        if code != scard.SCARD_S_SUCCESS:
            scard.SCardReleaseContext(context)
        _require(code, "SCardConnect")
        _require(scard.SCardBeginTransaction(card), "SCardBeginTransaction")
        return context, card

    def _close(self, context: Any, card: Any) -> None:
        scard.SCardEndTransaction(card, scard.SCARD_LEAVE_CARD)
        scard.SCardDisconnect(card, scard.SCARD_UNPOWER_CARD)
        scard.SCardReleaseContext(context)


class _Recording:
    """See `CardTransport`."""

    def __init__(self, card: Any) -> None:
        self._card = card
        self.commands: list[bytes] = []

    def transmit(self, command: bytes) -> tuple[bytes, int]:
        self.commands.append(command)
        code, response = scard.SCardTransmit(self._card, scard.SCARD_PCI_T1, list(command))
        _require(code, "SCardTransmit")
        return bytes(response[:-2]), int.from_bytes(bytes(response[-2:]), "big")


def _require(code: int, call: str) -> None:
    if code != scard.SCARD_S_SUCCESS:
        raise RawTrouble(f"{call}: {code & 0xFFFFFFFF:08X}")
