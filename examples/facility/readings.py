"""What a kiosk sealed to this system (`docs/basic-four.md`): opened with the key of this process, kept in memory."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

TYPE = "kiosk-basic-four+jwe"
SYSTEM = "facility-booking"
MOST = 5
_REGISTRY = jwe.JWERegistry(algorithms=["ECDH-ES+A256KW", "A256GCM"], strict_check_header=False)


@dataclass(frozen=True, repr=False)
class Reading:
    """Of one visit. Text is what the card says, sign for sign."""

    id: str
    reference: str
    ppid: str
    items: dict[str, str]


class Inbox:
    """The newest readings, each once. `public_key` is what the kiosk is told to seal to."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256")
        self._lock = threading.Lock()
        self._readings: dict[str, Reading] = {}

    @property
    def public_key(self) -> str:
        return self._key.as_pem(private=False).decode()

    def receive(self, sealed: str) -> Reading:
        """Raises `ValueError` for anything that is not sealed to this key for this system. The first of two stays."""
        try:
            opened = jwe.decrypt_compact(sealed, self._key, registry=_REGISTRY)
            header, statement = opened.protected, json.loads(opened.plaintext or b"")
            if header.get("typ") != TYPE or header.get("system") != SYSTEM:
                raise ValueError("for somebody else")
            items = {name: str(statement["basic_four"][name]) for name in ("name", "address", "birth", "sex")}
            reading = Reading(str(header["reading"]), str(header["reference"]), str(statement["ppid"]), items)
        except (JoseError, KeyError, TypeError, ValueError):
            raise ValueError("not a reading for this system") from None
        with self._lock:
            self._readings.setdefault(reading.id, reading)
            while len(self._readings) > MOST:
                del self._readings[next(iter(self._readings))]
        return reading

    def newest(self) -> Reading | None:
        with self._lock:
            return next(reversed(self._readings.values()), None)

    def count(self) -> int:
        with self._lock:
            return len(self._readings)
