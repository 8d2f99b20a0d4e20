"""One virtual card in a reader: the pure card with its profile folder, the tries it remembers, the time it takes."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bridge.errors import CardCommunicationError, CardRemoved
from bridge.state_file import replace_file
from bridge.virtual.card import Exchange, VirtualCard
from bridge.virtual.profile import VERSION, CardProfile, load_object, load_profile, parse_counters

_COUNTERS: Final = "counters.json"
_LOOK_SECONDS: Final = 0.02


class Insertion:
    """A card from the moment it lies on the reader until it is gone. Constructing it loads the profile.

    Raises `ProfileMalformed`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        profile = load_profile(folder)
        self._counters = self._load_counters(profile)
        self._card = VirtualCard(profile, self._counters, secrets.token_bytes)
        self._waiting = threading.Event()  # never set: a wait that costs no processor time

    @property
    def atr(self) -> bytes:
        return self._card.atr

    @property
    def mute(self) -> bool:
        return not self._card.atr

    def power_off(self) -> None:
        self._card.power_off()

    def reset(self) -> None:
        self._card.reset()

    def transmit(self, command: bytes, still_there: Callable[[], bool]) -> Exchange:
        """Answer one command, after the time that it takes. The tries left are on the disk before the answer is known.

        `still_there` is asked while the card works: one taken in the middle of a slow signature is gone at once. Raises
        `CardRemoved`, and `CardCommunicationError` when the tries cannot be written.
        """
        exchange = self._card.transmit(command)
        if self._card.counters != self._counters:
            self._counters = self._card.counters
            self._save_counters()
        self._wait(exchange.milliseconds / 1000, still_there)
        return exchange

    def _wait(self, seconds: float, still_there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._waiting.wait(min(left, _LOOK_SECONDS))
            if not still_there():
                raise CardRemoved("the virtual card was lifted while it worked")

    def _load_counters(self, profile: CardProfile) -> dict[str, int]:
        path = self._folder / _COUNTERS
        if path.exists():
            return parse_counters(load_object(path))
        return {name: secret.left if secret else 0 for name, secret in profile.secrets.items()}

    def _save_counters(self) -> None:
        content = json.dumps({"version": VERSION, **self._counters}).encode()
        try:
            replace_file(self._folder / _COUNTERS, content)
        except OSError as trouble:
            raise CardCommunicationError("the virtual card cannot remember its tries") from trouble
