"""The register: which certificate was issued to whom, what became of it, and which one followed it.

One SQLite file, so that a command line and a running simulator see the same state. It also answers what J-LIS's
services answer to a verifier: the certificate that replaced this one, the state of the linked signature certificate,
and whether the basic 4 information changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from kiosk_web.simulator.names import Kind

_SCHEMA = """
CREATE TABLE IF NOT EXISTS certificates (
    authority TEXT NOT NULL, serial INTEGER NOT NULL, kind TEXT NOT NULL, person TEXT NOT NULL,
    municipality TEXT NOT NULL, not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,
    state TEXT NOT NULL, reason TEXT, changed_at INTEGER,
    current INTEGER NOT NULL, next_authority TEXT, next_serial INTEGER,
    PRIMARY KEY (authority, serial)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS certificates_of ON certificates (person, kind, current);
CREATE INDEX IF NOT EXISTS certificates_before ON certificates (next_authority, next_serial);
CREATE TABLE IF NOT EXISTS items (person TEXT PRIMARY KEY, address TEXT, changed_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lists (name TEXT PRIMARY KEY, number INTEGER NOT NULL, content TEXT NOT NULL) WITHOUT ROWID;
"""
_SELECT = (
    "SELECT authority, serial, kind, person, municipality, not_before, not_after, state, reason, changed_at, current,"
    " next_authority, next_serial FROM certificates WHERE "
)


class State(Enum):
    """What the register says of a certificate, apart from its expiry."""

    GOOD = "good"
    ON_HOLD = "on_hold"
    REVOKED = "revoked"


class Reason(Enum):
    """The reasons that the Digital Agency's leaflet names (pki.md 1.6), by their names in RFC 5280 5.3.1."""

    AFFILIATION_CHANGED = "affiliationChanged"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    SUPERSEDED = "superseded"
    CERTIFICATE_HOLD = "certificateHold"


class RegisterError(Exception):
    """A command that the register cannot carry out; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One issued certificate. `next` is (authority, serial) of the one that replaced it by renewal."""

    authority: str
    serial: int
    kind: Kind
    person: str
    municipality: str
    not_before: datetime
    not_after: datetime
    state: State = State.GOOD
    reason: Reason | None = None
    changed_at: datetime | None = None
    current: bool = True
    next: tuple[str, int] | None = None


class Linked(Enum):
    """State of the signature certificate linked to an authentication certificate."""

    VALID = "valid"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NONE_ISSUED = "none_issued"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the J-LIS services tell a registered verifier about an authentication certificate."""

    renewed_to: tuple[str, int] | None
    signature_certificate: Linked
    items_changed_at: datetime | None


class Register:
    """The register file. Used from the thread that made it; several processes may hold it at once."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=10, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """All or nothing: writes inside are one transaction."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def record_issue(self, entry: Entry) -> None:
        """A new certificate; the one of the same person and kind is no longer the current one."""
        self._connection.execute(
            "UPDATE certificates SET current = 0 WHERE person = ? AND kind = ?", (entry.person, entry.kind.value)
        )
        self._connection.execute(
            "INSERT INTO certificates"
            " (authority, serial, kind, person, municipality, not_before, not_after, state, current)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)",
            (
                entry.authority,
                entry.serial,
                entry.kind.value,
                entry.person,
                entry.municipality,
                _seconds(entry.not_before),
                _seconds(entry.not_after),
                entry.state.value,
            ),
        )

    def record_state(self, entry: Entry, state: State, reason: Reason | None, at: datetime) -> None:
        """Revoke, put on hold or release. A revoked certificate stays revoked."""
        done = self._connection.execute(
            "UPDATE certificates SET state = ?, reason = ?, changed_at = ?"
            " WHERE authority = ? AND serial = ? AND state != 'revoked'",
            (state.value, reason and reason.value, _seconds(at), entry.authority, entry.serial),
        )
        if done.rowcount != 1:
            raise RegisterError("the certificate is already revoked")

    def record_renewal(self, old: Entry, new: Entry) -> None:
        """Remember that `new` replaces `old` for the same person."""
        self._connection.execute(
            "UPDATE certificates SET next_authority = ?, next_serial = ? WHERE authority = ? AND serial = ?",
            (new.authority, new.serial, old.authority, old.serial),
        )

    def record_items(self, person: str, address: str | None, at: datetime) -> None:
        """The basic 4 information of a person changed; `address` None keeps the one of the list of people."""
        self._connection.execute(
            "INSERT INTO items (person, address, changed_at) VALUES (?, ?, ?)"
            " ON CONFLICT (person) DO UPDATE SET address = excluded.address, changed_at = excluded.changed_at",
            (person, address, _seconds(at)),
        )

    def forget_items(self, person: str) -> None:
        """Back to the items in the list of people."""
        self._connection.execute("DELETE FROM items WHERE person = ?", (person,))

    def find(self, authority: str, serial: int) -> Entry | None:
        """The entry of a certificate, or None if this authority never issued that serial."""
        if serial >> 63:  # beyond SQLite's integers, and beyond ours: they have four octets
            return None
        return self._one("authority = ? AND serial = ?", authority, serial)

    def find_current(self, person: str, kind: Kind) -> Entry | None:
        """The certificate that is on the person's card."""
        return self._one("person = ? AND kind = ? AND current = 1", person, kind.value)

    def find_previous(self, entry: Entry) -> Entry | None:
        """The certificate that this one replaced by renewal."""
        return self._one("next_authority = ? AND next_serial = ?", entry.authority, entry.serial)

    def load_listed(self, authority: str, municipality: str | None, now: datetime) -> list[Entry]:
        """Revoked and held certificates that have not expired, by serial: the content of a revocation list."""
        where = "authority = ? AND state != 'good' AND not_after >= ?"
        values: list[object] = [authority, _seconds(now)]
        if municipality is not None:
            where += " AND municipality = ?"
            values.append(municipality)
        return self._many(where + " ORDER BY serial", *values)

    def load_address(self, person: str) -> str | None:
        """The address after a move, or None."""
        row = self._connection.execute("SELECT address FROM items WHERE person = ?", (person,)).fetchone()
        return row[0] if row else None

    def issue_list_number(self, name: str, content: str) -> int:
        """crlNumber of a list (RFC 5280 5.2.3): one more than the last, unless the content is the same."""
        row = self._connection.execute("SELECT number, content FROM lists WHERE name = ?", (name,)).fetchone()
        if row and row[1] == content:
            return int(row[0])
        number = int(row[0]) + 1 if row else 1
        self._connection.execute(
            "INSERT INTO lists (name, number, content) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET number = excluded.number, content = excluded.content",
            (name, number, content),
        )
        return number

    def judge_standing(self, entry: Entry, now: datetime) -> Standing:
        """Answer of the J-LIS services on an authentication certificate (pki.md 2)."""
        newest = entry
        while newest.next is not None:
            following = self.find(*newest.next)
            if following is None:
                break
            newest = following
        row = self._connection.execute("SELECT changed_at FROM items WHERE person = ?", (entry.person,)).fetchone()
        return Standing(
            renewed_to=None if newest is entry else (newest.authority, newest.serial),
            signature_certificate=_linked(self.find_current(entry.person, Kind.SIGNATURE), now),
            items_changed_at=_moment(row[0]) if row else None,
        )

    def _one(self, where: str, *values: object) -> Entry | None:
        rows = self._many(where, *values)
        return rows[0] if rows else None

    def _many(self, where: str, *values: object) -> list[Entry]:
        cursor = self._connection.execute(_SELECT + where, values)  # `where` is one of the constants above
        return [_entry(row) for row in cursor.fetchall()]


def _linked(entry: Entry | None, now: datetime) -> Linked:
    if entry is None:
        return Linked.NONE_ISSUED
    if entry.state is not State.GOOD:
        return Linked.REVOKED
    return Linked.EXPIRED if entry.not_after < now else Linked.VALID


def _entry(row: tuple[object, ...]) -> Entry:
    (
        authority,
        serial,
        kind,
        person,
        municipality,
        not_before,
        not_after,
        state,
        reason,
        changed_at,
        current,
        *following,
    ) = row
    return Entry(
        authority=str(authority),
        serial=int(str(serial)),
        kind=Kind(kind),
        person=str(person),
        municipality=str(municipality),
        not_before=_moment(not_before),
        not_after=_moment(not_after),
        state=State(state),
        reason=None if reason is None else Reason(reason),
        changed_at=None if changed_at is None else _moment(changed_at),
        current=bool(current),
        next=None if following[0] is None else (str(following[0]), int(str(following[1]))),
    )


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(seconds: object) -> datetime:
    return datetime.fromtimestamp(int(str(seconds)), UTC)
