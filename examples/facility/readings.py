"""What a kiosk sealed to this system (`docs/basic-four.md`): opened with its own key, and kept in memory."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

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
    """The newest readings, each once. `key`: file with the private P-256 key, made if missing; without one a key of
    this process. `public_key`: what the kiosk is told to seal to; `clock`: seconds since 1970.
    """

    def __init__(self, key: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._key = ECKey.generate_key("P-256") if key is None else load_or_make_key(key)
        self._clock = clock
        self._taken: dict[str, float] = {}  # id, and until when the kiosk may send it again
        self._lock = threading.Lock()
        self._readings: dict[str, Reading] = {}

    @property
    def public_key(self) -> str:
        return self._key.as_pem(private=False).decode()

    def receive(self, sealed: str, signed: Mapping[str, str]) -> Reading:
        """`signed`: what the kiosk signed that this is: `reading` in a webhook, `reference` and `ppid` in a result.

        Raises `ValueError` for anything that is not this reading, sealed to this key for this system, within its life.
        The first of two stays.
        """
        try:
            opened = jwe.decrypt_compact(sealed, self._key, registry=_REGISTRY)
            header, statement = opened.protected, json.loads(opened.plaintext or b"")
            if (header.get("typ"), header.get("system")) != (TYPE, SYSTEM):
                raise ValueError("for somebody else")
            said = {"reading": header["reading"], "reference": header["reference"], "ppid": statement["ppid"]}
            if not signed or said | signed != said:
                raise ValueError("not what was signed")
            ends_at, now = float(header["exp"]), self._clock()
            if ends_at <= now:
                raise ValueError("too late")
            items = {name: str(statement["basic_four"][name]) for name in ("name", "address", "birth", "sex")}
            reading = Reading(str(header["reading"]), str(header["reference"]), str(statement["ppid"]), items)
        except (JoseError, KeyError, TypeError, ValueError):
            raise ValueError("not a reading for this system") from None
        with self._lock:
            self._taken = {taken: until for taken, until in self._taken.items() if until > now}
            if reading.id not in self._taken:
                self._readings[reading.id] = reading
            self._taken[reading.id] = ends_at
            while len(self._readings) > MOST:
                del self._readings[next(iter(self._readings))]
        return reading

    def newest(self) -> Reading | None:
        with self._lock:
            return next(reversed(self._readings.values()), None)

    def count(self) -> int:
        with self._lock:
            return len(self._readings)


def load_or_make_key(path: Path) -> ECKey:
    """The key that a kiosk seals to; a new one in a file of the owner's alone when there is none."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    try:
        key = ECKey.import_key(path.read_bytes())
        if key.is_private and key.curve_name == "P-256":
            return key
    except (JoseError, ValueError):
        pass
    raise SystemExit(f"{path} holds no private P-256 key")
