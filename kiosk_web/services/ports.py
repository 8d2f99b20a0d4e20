"""What the use-cases ask of the world: a database, a feed of changes, a validator, a clock and randomness.

Rows are plain values. A `Transaction` commits when its `async with` ends without an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from kiosk_web.identity.mykey import MyKeyState
from kiosk_web.identity.persons import CertificateName
from kiosk_web.pki.fallback import OpeningRecord, RecordedCause
from kiosk_web.pki.status import CertificateStatus
from kiosk_web.pki.status_policy import StatusContext
from kiosk_web.pki.trust import TrustedCertificate, Untrusted
from kiosk_web.services.api_ports import ClientRows, RemoteRows
from kiosk_web.services.basic_four_ports import SealedReadingRows
from kiosk_web.services.handover_ports import HandoverRows
from kiosk_web.services.held_ports import HeldRowsOfPerson
from kiosk_web.services.introduction_ports import IntroductionRows
from kiosk_web.services.kazashi_ports import DEFAULT_FACILITY, KazashiRows, LeaseRows, StaffRows
from kiosk_web.services.link_ports import ConfirmationRows, LinkRows, StaffAuditRows
from kiosk_web.services.reading_ports import ReadingRows, RedirectRows
from kiosk_web.services.terms_ports import TermsRows

Clock = Callable[[], datetime]  # aware, UTC
Entropy = Callable[[int], bytes]


@dataclass(frozen=True)
class TerminalRecord:
    """One terminal. `public_key` is the raw Ed25519 key, None until it was enrolled."""

    id: str
    name: str
    origin: str
    public_key: bytes | None
    created_at: datetime
    enrolled_at: datetime | None
    revoked_at: datetime | None
    facility: str = DEFAULT_FACILITY

    @property
    def condition(self) -> Literal["enrolled", "waiting", "revoked"]:
        """In one word, for the command line."""
        if self.revoked_at is not None:
            return "revoked"
        return "waiting" if self.public_key is None else "enrolled"


@dataclass(frozen=True, repr=False)
class EnrolmentRecord:
    code_id: bytes
    key: bytes
    terminal: str
    expires_at: datetime


@dataclass(frozen=True, repr=False)
class HelloRecord:
    """A hello ticket that was handed out, found again by the hash of its compact form."""

    ticket_sha256: bytes
    terminal: str
    origin: str
    address: str
    bridge_nonce: bytes
    page_key: bytes
    expires_at: datetime


@dataclass(frozen=True)
class PageRecord:
    """A page that proved its bridge. `current` is False once a newer one did."""

    id: str
    terminal: str
    current: bool


@dataclass(frozen=True, repr=False)
class ChallengeRecord:
    """What the server asked a card to sign, exactly; the bytes are rebuilt from this alone."""

    id: str
    ticket: str
    terminal: str
    origin: str
    session: str
    service: str
    purpose: str
    method: Literal["pin", "kazashi"]
    nonce: bytes
    consent: bytes
    lease: str
    card: str
    reference: str
    issued_at: datetime
    expires_at: datetime
    consumed_at: datetime | None = None


@dataclass(frozen=True)
class SessionRecord:
    """The session of one terminal. `version` only rises; a write names the version it read."""

    terminal: str
    version: int
    state: str
    page: str
    since: datetime


@dataclass(frozen=True)
class OutboxRecord:
    id: int
    terminal: str
    challenge: str


@dataclass(frozen=True)
class AuditRecord:
    """One visit, without personal data: nothing here leads to a person, a card or a certificate.

    `fallback`: why a list stood in for the responder (`window`, `manager`, `automatic`), "" where none did. `lease`:
    under which a tap was attended, "" for every other visit.
    """

    reference: str
    terminal: str
    service: str
    outcome: str
    code: str
    method: str
    status_outcome: str
    status_method: str
    fallback: str
    this_update: datetime | None
    next_update: datetime | None
    started_at: datetime | None
    ended_at: datetime
    lease: str = ""


@dataclass(frozen=True)
class LatestVisit:
    """How the latest recorded visit of a terminal ended."""

    terminal: str
    outcome: str
    code: str


class TerminalRows(Protocol):
    async def add(self, record: TerminalRecord, enrolment: EnrolmentRecord) -> None: ...
    async def find(self, terminal: str) -> TerminalRecord | None: ...
    async def find_by_name(self, name: str) -> TerminalRecord | None: ...
    async def list_all(self) -> tuple[TerminalRecord, ...]: ...
    async def revoke(self, terminal: str, now: datetime) -> None:
        """End the terminal, its pages and its open codes."""
        ...

    async def renew_code(self, enrolment: EnrolmentRecord) -> None:
        """Replace every open code of the terminal."""
        ...

    async def find_enrolment(self, code_id: bytes, now: datetime) -> EnrolmentRecord | None: ...
    async def enrol(self, code_id: bytes, public_key: bytes, origin: str, now: datetime) -> bool:
        """Use the code up and set key and origin; False if the code was used or ran out."""
        ...

    async def raise_counter(self, terminal: str, counter: int) -> bool:
        """True if `counter` is higher than all before it; it is then the highest."""
        ...

    async def add_hello(self, record: HelloRecord) -> None:
        """Only the newest few of a terminal are kept."""
        ...

    async def take_hello(self, ticket_sha256: bytes, now: datetime) -> HelloRecord | None:
        """Use the ticket up; None if it is unknown, used or expired."""
        ...

    async def open_page(self, page: PageRecord, cookie_sha256: bytes, now: datetime) -> None:
        """Record a verified page; the older ones of the terminal stop being current."""
        ...

    async def find_page(self, cookie_sha256: bytes) -> PageRecord | None:
        """None for an unknown cookie and for one of a revoked terminal."""
        ...

    async def is_current(self, page: str) -> bool:
        """Whether no newer page of its terminal was verified."""
        ...

    async def is_revoked(self, cookie_sha256: bytes) -> bool: ...
    async def has_told(self, page: str) -> bool:
        """Whether any event of this page was taken. The first thing that a page tells is what its bridge says of the
        reader.
        """
        ...

    async def raise_sequence(self, page: str, seq: int) -> bool:
        """True if `seq` is higher than all of this page before it."""
        ...

    async def list_revoked_in_service(self) -> tuple[str, ...]:
        """Revoked terminals whose session does not say so yet."""
        ...


class SessionRows(Protocol):
    async def load(self, terminal: str) -> SessionRecord | None: ...
    async def save(
        self, record: SessionRecord, name: str, wake_at: datetime | None, expected_version: int | None
    ) -> bool:
        """Write the next version; False if another writer was first (`expected_version` None: no row may exist)."""
        ...

    async def list_due(self, now: datetime) -> tuple[str, ...]: ...
    async def list_all(self) -> tuple[SessionRecord, ...]: ...
    async def add_challenge(self, record: ChallengeRecord) -> None: ...
    async def find_challenge(self, challenge: str) -> ChallengeRecord | None: ...
    async def consume_challenge(self, challenge: str, terminal: str, now: datetime) -> ChallengeRecord | None:
        """One UPDATE … RETURNING: the challenge for the one caller who was first and in time, None for all others."""
        ...

    async def is_reference_used(self, reference: str) -> bool: ...
    async def add_work(self, terminal: str, challenge: str, now: datetime) -> None: ...
    async def finish_work(self, terminal: str, challenge: str, now: datetime) -> None: ...
    async def list_unfinished_work(self) -> tuple[OutboxRecord, ...]: ...
    async def forget_old(self, before: datetime) -> None:
        """Delete hello tickets, challenges, superseded pages and finished work older than this."""
        ...


@dataclass(frozen=True, repr=False)
class SweptPerson:
    """One linked person, by the newest certificate known of them."""

    person: str
    issuer_key_id: bytes
    serial: int


@dataclass(frozen=True)
class SweepRecord:
    """One sweep: when, how far (`reached` is the last person; empty before and after), and how many. No person."""

    began_at: datetime
    ended_at: datetime | None = None
    reached: str = ""
    persons: int = 0
    marked: int = 0
    unconfirmed: int = 0
    id: int = 0


@dataclass(frozen=True, repr=False)
class MyKeyRecord:
    """One MyKey ID. `issued_to` is the certificate it was issued to, None where none was recorded."""

    mykey_id: str
    person: str
    state: MyKeyState
    issued_to: CertificateName | None
    issued_at: datetime
    changed_at: datetime | None


class PersonRows(Protocol):
    async def find(self, issuer_key_id: bytes, serial: int) -> str | None: ...
    async def add(self, person: str, issuer_key_id: bytes, serial: int, now: datetime) -> None: ...
    async def add_certificate(self, person: str, issuer_key_id: bytes, serial: int, now: datetime) -> None:
        """One more certificate of a known person."""
        ...

    async def find_newest_certificate(self, person: str) -> CertificateName | None: ...
    async def count_certificates(self, person: str) -> int: ...
    async def absorb(self, stranger: str, person: str, now: datetime) -> tuple[str, ...]:
        """All of `stranger` becomes `person`'s, but links, and `stranger` is gone; kazashi of both ends.

        Where both had an identifier, the stranger's ends: the systems of those PPIDs, and "" for a MyKey ID.
        """
        ...

    async def find_by_ppid(self, ppid: str, system: str) -> str | None: ...
    async def find_ppid(self, person: str, system: str) -> str | None: ...
    async def add_ppid(self, person: str, system: str, ppid: str, now: datetime) -> bool:
        """False if this very PPID exists already."""
        ...

    async def find_mykey_id(self, person: str) -> tuple[str, str] | None:
        """(MyKey ID, state) that is not superseded."""
        ...

    async def load_mykey_id(self, mykey_id: str) -> MyKeyRecord | None: ...
    async def add_mykey_id(
        self, person: str, mykey_id: str, now: datetime, issued_to: CertificateName | None = None
    ) -> bool:
        """False if this very MyKey ID exists already."""
        ...

    async def change_mykey_id(self, mykey_id: str, before: MyKeyState, after: MyKeyState, now: datetime) -> bool:
        """False if it was not in the state `before`."""
        ...

    async def list_linked(self, systems: Collection[str], after: str, limit: int) -> tuple[SweptPerson, ...]:
        """Persons behind `after` who have a PPID in one of `systems` or an issued MyKey ID, in order."""
        ...

    async def mark_check_again(self, persons: Sequence[str]) -> None: ...
    async def clear_check_again(self, person: str) -> None: ...
    async def must_check_again(self, person: str) -> bool: ...


class SweepRows(Protocol):
    async def find_latest(self) -> SweepRecord | None: ...
    async def add(self, record: SweepRecord) -> int:
        """The number under which `save` finds it."""
        ...

    async def save(self, record: SweepRecord) -> None: ...


class AuditRows(Protocol):
    async def add(self, record: AuditRecord) -> None: ...
    async def list_latest(self) -> tuple[LatestVisit, ...]: ...


class FallbackRows(Protocol):
    """The openings by a manager and by the automatic rule; never deleted."""

    async def add(self, record: OpeningRecord) -> None: ...
    async def close(self, cause: RecordedCause, now: datetime) -> bool:
        """Close those not closed yet; True if there was one."""
        ...

    async def list_open_since(self, moment: datetime) -> tuple[OpeningRecord, ...]:
        """Those that hold now or have held after `moment`, oldest first."""
        ...

    async def list_latest(self, limit: int, cause: RecordedCause | None = None) -> tuple[OpeningRecord, ...]:
        """The newest first."""
        ...


class Transaction(Protocol):
    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """A part that is undone alone when its `async with` ends with an exception, which goes on from there."""
        ...

    @property
    def terminals(self) -> TerminalRows: ...
    @property
    def sessions(self) -> SessionRows: ...
    @property
    def persons(self) -> PersonRows: ...
    @property
    def audit(self) -> AuditRows: ...
    @property
    def fallback(self) -> FallbackRows: ...
    @property
    def sweeps(self) -> SweepRows: ...
    @property
    def links(self) -> LinkRows: ...
    @property
    def confirmations(self) -> ConfirmationRows: ...
    @property
    def staff_audit(self) -> StaffAuditRows: ...
    @property
    def clients(self) -> ClientRows: ...
    @property
    def remote(self) -> RemoteRows: ...
    @property
    def handovers(self) -> HandoverRows: ...
    @property
    def staff(self) -> StaffRows: ...
    @property
    def leases(self) -> LeaseRows: ...
    @property
    def kazashi(self) -> KazashiRows: ...
    @property
    def readings(self) -> SealedReadingRows: ...
    @property
    def introductions(self) -> IntroductionRows: ...
    @property
    def asked_readings(self) -> ReadingRows: ...
    @property
    def reading_redirects(self) -> RedirectRows: ...
    @property
    def terms(self) -> TermsRows: ...
    @property
    def held(self) -> HeldRowsOfPerson: ...


class AheadOfDisk(AbstractAsyncContextManager[Transaction], Protocol):
    """A transaction whose end does not wait for the disk: who writes next finds it done already."""

    async def wait(self) -> None:
        """Until it is on the disk; raises if it never will be. Nobody may be told of it before."""
        ...


class Store(Protocol):
    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """What was true at one moment. It cannot write."""
        ...

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """One after the other; its end waits until what was done is on the disk."""
        ...

    def write_ahead(self) -> AheadOfDisk: ...


class Subscription(Protocol):
    """Wakes its owner; several changes before the next `wait` are one."""

    async def wait(self) -> bool:
        """True after a change, False when the server stops."""
        ...


class Feed(Protocol):
    """Tells the streams of this process, and later of others, that something changed."""

    def publish(self, terminal: str) -> None: ...
    def publish_all(self) -> None:
        """Something changed that every stream may show."""
        ...

    def subscribe(self, terminal: str | None) -> AbstractContextManager[Subscription]:
        """Changes of one terminal, or of all with None."""
        ...


class Validation(Protocol):
    """`services/validation.py`, as far as a session needs it."""

    def judge_trust(self, der: bytes) -> TrustedCertificate | Untrusted: ...
    async def check_status(self, certificate: TrustedCertificate, context: StatusContext) -> CertificateStatus: ...
