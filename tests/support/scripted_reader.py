"""`python -m bridge` whose virtual reader does what a script says: the answers of PC/SC that no virtual card can cause.

The script is `pcsc.json` beside `reader.json`, looked at each time: `{"readers": "service_down" | "denied",
"connect": number, "transmit": number}`, every key optional; numbers are return codes of PC/SC. No file: nothing wrong.

While the reader waits for its keys there is the file `keys-awaited`: no message of the bridge says that, for the bridge
tells before it hands over to the card's thread.
"""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import patch

from bridge import __main__ as program
from bridge.card.pcsc_codes import build_error
from bridge.card.reader_keypad import Keypad
from bridge.card.transport import CardConnection, ReadersSnapshot, ReaderState
from bridge.virtual import reader

SCRIPT = "pcsc.json"
AWAITED = "keys-awaited"


class ScriptedSource(reader.VirtualSource):
    def __init__(self, folder: Path, file: str = reader.READER) -> None:
        super().__init__(folder, file)
        self._script = folder / SCRIPT
        self.awaited = folder / AWAITED

    def load(self, key: str) -> str | int | None:
        try:
            value: str | int | None = json.loads(self._script.read_text(encoding="utf-8")).get(key)
        except FileNotFoundError:
            return None
        return value

    def _look(self) -> ReadersSnapshot:
        state = self.load("readers")
        return super()._look() if state is None else ReadersSnapshot(ReaderState(state), (), 0)

    def connect(self, reader_name: str) -> CardConnection:
        code = self.load("connect")
        if code is not None:
            raise build_error(int(code))
        return _ScriptedConnection(super().connect(reader_name), self)


class _ScriptedConnection:
    """See `CardConnection`."""

    def __init__(self, connection: CardConnection, source: ScriptedSource) -> None:
        self._connection = connection
        self._source = source

    @property
    def reader_name(self) -> str:
        return self._connection.reader_name

    def transmit(self, command: bytes) -> tuple[bytes, int]:
        code = self._source.load("transmit")
        if code is not None:
            raise build_error(int(code))
        return self._connection.transmit(command)

    def check_present(self) -> None:
        self._connection.check_present()

    def find_keypad(self) -> Keypad | None:
        keypad = self._connection.find_keypad()
        return None if keypad is None else _ScriptedKeypad(keypad, self._source.awaited)

    def close(self, *, unpower: bool = True) -> None:
        self._connection.close(unpower=unpower)


class _ScriptedKeypad:
    """See `Keypad`."""

    def __init__(self, keypad: Keypad, awaited: Path) -> None:
        self._keypad = keypad
        self._awaited = awaited

    def verify(self, structure: bytes) -> int:
        self._awaited.touch()
        try:
            return self._keypad.verify(structure)
        finally:
            self._awaited.unlink()


if __name__ == "__main__":
    with patch.object(reader, "VirtualSource", ScriptedSource):
        program.main()
