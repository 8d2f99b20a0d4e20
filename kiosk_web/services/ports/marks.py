"""What the use-cases ask of the database about marks: the newest that was ever seen of certificates and of lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from kiosk_web.pki.crl_trust import ListMark, ListScope
from kiosk_web.pki.status import HighWaterMark


class Remembered(NamedTuple):
    """`certificate`: what was seen of it, by whichever method; `lists`: the newest that was accepted of each scope, one
    without any left out; `newest`: the latest time that anything verified has told, of whomever.
    """

    certificate: HighWaterMark | None
    lists: Mapping[ListScope, ListMark]
    newest: datetime | None


class MarkRows(Protocol):
    async def recall(self, key: bytes, scopes: Collection[ListScope]) -> Remembered:
        """All that bears on one certificate by lists, as it is at one moment. `key` comes from `derive_mark_key`."""
        ...
