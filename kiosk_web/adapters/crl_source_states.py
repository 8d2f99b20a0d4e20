"""What is remembered of the sources of revocation lists, in a small JSON file beside the index."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from kiosk_web.services.lists.refresh import SourceState, Validators
from kiosk_web.state_file import load_json, write_json

FILE_NAME = "sources.json"


class SourceStateFile:
    """Implements `services.lists.refresh.SourceStates`. `folder` is that of the index."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._stamp: object = None
        self._loaded: Mapping[str, SourceState] = {}

    def load(self) -> Mapping[str, SourceState]:
        """Empty, or without the entry, where the file is not one of ours. The same object while nothing has changed."""
        stamp = self._read_stamp()
        if stamp != self._stamp:
            self._stamp, self._loaded = stamp, self._load()
        return self._loaded

    def _read_stamp(self) -> object:
        try:
            state = self._path.stat()
        except OSError:
            return None
        return state.st_ino, state.st_mtime_ns, state.st_size

    def _load(self) -> Mapping[str, SourceState]:
        states = {}
        for name, fields in load_json(self._path).items():
            try:
                states[name] = _read(fields)
            except (KeyError, TypeError, ValueError):
                continue
        return states

    def save(self, states: Mapping[str, SourceState]) -> None:
        write_json(self._path, {name: _dump(state) for name, state in states.items()})


def _dump(state: SourceState) -> dict[str, Any]:
    return {
        "checked_at": state.checked_at.isoformat(),
        "succeeded_at": state.succeeded_at.isoformat() if state.succeeded_at else None,
        "failures": state.failures,
        "why": state.why,
        "place": state.place,
        "etag": state.validators.etag,
        "last_modified": state.validators.last_modified,
        "sha256": state.sha256.hex(),
    }


def _read(fields: Any) -> SourceState:
    return SourceState(
        checked_at=_read_time(fields["checked_at"]),
        succeeded_at=None if fields["succeeded_at"] is None else _read_time(fields["succeeded_at"]),
        failures=int(fields["failures"]),
        why=_read_text(fields["why"]),
        place=_read_text(fields["place"]),
        validators=Validators(
            *(None if fields[name] is None else _read_text(fields[name]) for name in ("etag", "last_modified"))
        ),
        sha256=bytes.fromhex(fields["sha256"]),
    )


def _read_time(value: str) -> datetime:
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError("naive time")
    return time


def _read_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value
