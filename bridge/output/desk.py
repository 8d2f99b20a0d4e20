"""One hand-over at a time, on a thread of its own: what the ticket asks for against what this computer allows.

The number lives in the ticket and on the stack of the thread, and in no log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from bridge.errors import BridgeError, Cancelled
from bridge.output.errors import DisplayMissing, OutputError, OutputNotAllowed
from bridge.output.keyboard import Keyboard
from bridge.output.order import OutputEnd
from bridge.output.settings import OutputSettings
from bridge.output.text import build_output
from bridge.output.typist import OutputEnded, Typist

_log = structlog.get_logger("bridge.output")


class Order(Protocol):
    """What is read of an output ticket."""

    @property
    def jti(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def number(self) -> str: ...


def open_no_keyboard() -> Keyboard:
    """For a computer that hands nothing over."""
    raise DisplayMissing


class _Running:
    """One hand-over as both threads see it."""

    def __init__(self, output: str) -> None:
        self.output = output
        self._error: BridgeError | None = None
        self._ended = threading.Event()

    def end(self, error: BridgeError) -> None:
        if self._error is None:
            self._error = error
        self._ended.set()

    def check(self) -> None:
        if self._error is not None:
            raise self._error

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than the hand-over goes on."""
        self._ended.wait(seconds)


class OutputDesk:
    """`report` is set by the owner and called on the desk's thread."""

    def __init__(self, settings: OutputSettings, *, open_keyboard: Callable[[], Keyboard]) -> None:
        self._settings = settings
        self._open_keyboard = open_keyboard
        self._running: _Running | None = None
        self._thread: threading.Thread | None = None
        self.report: Callable[[OutputEnd], None] = lambda _report: None

    def begin(self, order: Order) -> None:
        """Start it. One that still runs is ended first; the page connection has at most one."""
        if self._running is not None:
            self._running.end(Cancelled())
        running, before = _Running(order.jti), self._thread
        self._running = running
        self._thread = threading.Thread(target=self._run, args=(running, order, before), name="output", daemon=True)
        self._thread.start()

    def end(self, output: str, error: BridgeError) -> None:
        """Stop before the next key; an answer follows all the same."""
        if self._running is not None and self._running.output == output:
            self._running.end(error)

    def stop(self, timeout_seconds: float) -> bool:
        """End what runs; False when its thread hangs."""
        if self._running is not None:
            self._running.end(Cancelled())
        if self._thread is None:
            return True
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self, running: _Running, order: Order, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()  # two at once would mix their keys
        try:
            running.check()
            end = OutputEnd(order.jti, "", self._hand_over(running, order))
        except OutputError as trouble:
            end = OutputEnd(order.jti, trouble.code, trouble.sent)
        except OutputEnded as ended:
            end = OutputEnd(order.jti, ended.error.code, ended.sent)
        except BridgeError as trouble:
            end = OutputEnd(order.jti, trouble.code, 0)
        except Exception as defect:
            # without the traceback's values, which could hold the number
            _log.error("output_broken", error=type(defect).__name__)
            end = OutputEnd(order.jti, BridgeError.code, 0)
        _log.info("output_ended", kind=order.kind, code=end.code or "done", sent=end.sent)
        self.report(end)

    def _hand_over(self, running: _Running, order: Order) -> int:
        settings = self._settings
        if settings.kind == "none" or order.kind != settings.kind:
            raise OutputNotAllowed
        text = build_output(order.number, prefix=settings.prefix, trailer=settings.trailer, suffix=settings.suffix)
        if settings.kind == "serial":
            from bridge.output.serial_port import write_serial

            return write_serial(settings, text)
        keyboard = self._open_keyboard()
        try:
            typist = Typist(keyboard, settings, check=running.check, clock=time.monotonic, sleep=running.sleep)
            return typist.type_text(text)
        finally:
            keyboard.close()
