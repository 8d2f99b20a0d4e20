"""The folder of database and keys, held by the one server that works on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kiosk_web.errors import SettingsError
from kiosk_web.file_lock import LockHeld, hold_lock

LOCK = "server.lock"


@contextmanager
def hold_data_folder(data: Path) -> Iterator[None]:
    """Until the block ends, or the process, however it ends.

    Whose page is connected, who waits for a reading and which card is being proven are known to one process: a second
    server on the same data would let them wait in vain. Commands beside the server are no servers. Raises
    `SettingsError`.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as held:
        try:
            held.enter_context(hold_lock(data / LOCK))
        except LockHeld:
            raise SettingsError(
                f"data_in_use: another server works on {data}; one database has one server process"
            ) from None
        yield
