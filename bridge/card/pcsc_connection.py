"""One card opened through PC/SC: a context of its own, exclusive where the reader allows it, one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from bridge.card.pcsc_codes import UNCLEAR, Code, State, build_error
from bridge.card.reader_keypad import FEATURE_REQUEST, Keypad, find_verify_control
from bridge.errors import BridgeError, CardCommunicationError, CardRemoved, KeypadFailed, ReaderServiceDown

# pcscd looks at drivers that cannot notify every 400 ms: by then it knows whether the card was pulled.
_SETTLE_MILLISECONDS: Final = 600


class PcscConnection:
    """See `CardConnection`. Constructing it connects and begins the transaction; it belongs to one thread.

    To begin a transaction has no time limit in PC/SC: a shared connection waits while another program holds one.
    """

    def __init__(self, scard: Any, reader_name: str, generation: int, read_generation: Callable[[], int]) -> None:
        """Raises `ReaderMissing`, `ReaderBusy`, `CardRemoved`, `CardMute`, `ReaderServiceDown` or `AccessDenied`."""
        self._scard = scard
        self._reader_name = reader_name
        self._generation = generation
        self._read_generation = read_generation
        self._context: Any = None
        self._card: Any = None
        self._in_transaction = False
        try:
            self._open()
        except BridgeError:
            self.close(unpower=False)
            raise

    @property
    def reader_name(self) -> str:
        return self._reader_name

    def transmit(self, command: bytes) -> tuple[bytes, int]:
        self._require_open()
        code, response = self._scard.SCardTransmit(self._card, self._protocol_header, list(command))
        self._require_success(code)
        if len(response) < 2:
            self._find_cause()
            raise CardCommunicationError("the reader gave an answer without a status word")
        answer = bytes(response)
        return answer[:-2], int.from_bytes(answer[-2:], "big")

    def check_present(self) -> None:
        self._require_open()
        self._require_success(self._scard.SCardStatus(self._card)[0])

    def find_keypad(self) -> Keypad | None:
        if self._card is None:
            return None
        request = self._scard.SCARD_CTL_CODE(FEATURE_REQUEST)
        code, features = _taken(self._scard.SCardControl(self._card, request, []))
        control = find_verify_control(bytes(features)) if code == Code.SUCCESS else None
        return None if control is None else _PcscKeypad(self, control)

    def control(self, code: int, data: bytes) -> bytes:
        """SCardControl. Raises what a command raises, and `KeypadFailed` when that says nothing of card or reader."""
        self._require_open()
        result, answer = self._scard.SCardControl(self._card, code, list(data))
        try:
            self._require_success(result)
        except CardCommunicationError as trouble:
            raise KeypadFailed(str(trouble)) from None
        return bytes(answer)

    def close(self, *, unpower: bool = True) -> None:
        card, self._card = self._card, None
        context, self._context = self._context, None
        if card is not None:
            if self._in_transaction:
                self._scard.SCardEndTransaction(card, self._scard.SCARD_LEAVE_CARD)
            disposition = self._scard.SCARD_UNPOWER_CARD if unpower else self._scard.SCARD_LEAVE_CARD
            self._scard.SCardDisconnect(card, disposition)
        if context is not None:
            self._scard.SCardReleaseContext(context)

    def _open(self) -> None:
        scard = self._scard
        code, self._context = _taken(scard.SCardEstablishContext(scard.SCARD_SCOPE_USER))
        if code != Code.SUCCESS:
            self._context = None
            raise build_error(code)
        self._state = self._read_state()
        code = self._connect(scard.SCARD_SHARE_EXCLUSIVE)
        if code == Code.SHARING_VIOLATION:
            code = self._connect(scard.SCARD_SHARE_SHARED)
        if code != Code.SUCCESS:
            raise build_error(code)
        self._require_success(scard.SCardBeginTransaction(self._card))
        self._in_transaction = True

    def _connect(self, share: int) -> int:
        scard = self._scard
        protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        code, card, protocol = scard.SCardConnect(self._context, self._reader_name, share, protocols)
        code &= 0xFFFFFFFF
        if code == Code.SUCCESS:
            self._card = card
            self._protocol_header = scard.SCARD_PCI_T0 if protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1
        return int(code)

    def _require_open(self) -> None:
        if self._card is None:
            raise CardRemoved("this connection was closed")
        if self._read_generation() != self._generation:
            raise ReaderServiceDown("the smart card service was restarted")

    def _require_success(self, code: int) -> None:
        code &= 0xFFFFFFFF
        if code == Code.SUCCESS:
            return
        if code in UNCLEAR:
            self._find_cause()
        raise build_error(code)

    def _find_cause(self) -> None:
        """Raise what really happened behind an unclear code, if the service can tell."""
        states = [(self._reader_name, self._state.to_wait_from)]
        code, _ = _taken(self._scard.SCardGetStatusChange(self._context, _SETTLE_MILLISECONDS, states))
        if code not in (Code.SUCCESS, Code.TIMEOUT):
            raise build_error(Code.NO_SERVICE if code in UNCLEAR else code)
        now = self._read_state()
        if not now.present or now.event_count != self._state.event_count:
            raise CardRemoved("the card was lifted")

    def _read_state(self) -> State:
        """The reader as it is now. Raises what PC/SC says."""
        code, states = _taken(self._scard.SCardGetStatusChange(self._context, 0, [(self._reader_name, 0)]))
        if code not in (Code.SUCCESS, Code.TIMEOUT):
            raise build_error(code)
        return State(int(states[0][1]))


class _PcscKeypad:
    """See `Keypad`."""

    def __init__(self, connection: PcscConnection, control: int) -> None:
        self._connection = connection
        self._control = control

    def verify(self, structure: bytes) -> int:
        answer = self._connection.control(self._control, structure)
        if len(answer) != 2:
            raise KeypadFailed("the reader gave no status word")
        return int.from_bytes(answer, "big")


def _taken(answer: Any) -> tuple[int, Any]:
    """Code and value of an answer; Windows gives the code as a negative number."""
    code, value = answer
    return code & 0xFFFFFFFF, value
