"""What the use-cases ask of the world: a database, a feed of changes, a validator, a clock and randomness.

Each module of this folder has the rows of one subject, as plain values, and what is asked of their table. A
`Transaction` commits when its `async with` ends without an exception.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from typing import Protocol

from kiosk_web.pki.status import CertificateStatus, Good
from kiosk_web.pki.status_policy import StatusContext
from kiosk_web.pki.trust import TrustedCertificate, Untrusted
from kiosk_web.services.ports.audit import AuditRows
from kiosk_web.services.ports.clients import ClientRows
from kiosk_web.services.ports.fallback import FallbackRows
from kiosk_web.services.ports.handovers import HandoverRows
from kiosk_web.services.ports.held import HeldRowsOfPerson
from kiosk_web.services.ports.introductions import IntroductionRows
from kiosk_web.services.ports.kazashi import KazashiRows
from kiosk_web.services.ports.links import ConfirmationRows, LinkRows, StaffAuditRows
from kiosk_web.services.ports.marks import MarkRows
from kiosk_web.services.ports.persons import PersonRows
from kiosk_web.services.ports.reading_redirects import RedirectRows
from kiosk_web.services.ports.readings import ReadingRows
from kiosk_web.services.ports.remote import RemoteRows
from kiosk_web.services.ports.sealed_readings import SealedReadingRows
from kiosk_web.services.ports.sessions import SessionRows
from kiosk_web.services.ports.staff import LeaseRows, StaffRows
from kiosk_web.services.ports.sweeps import SweepRows
from kiosk_web.services.ports.terminals import TerminalRows
from kiosk_web.services.ports.terms import TermsRows

Clock = Callable[[], datetime]  # aware, UTC
Entropy = Callable[[int], bytes]


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
    @property
    def marks(self) -> MarkRows: ...


class AheadOfDisk(AbstractAsyncContextManager[Transaction], Protocol):
    """A transaction whose end does not wait for the disk: who writes next finds it done already."""

    async def wait(self) -> None:
        """Until it is on the disk; raises if it never will be. Nobody may be told of it before."""
        ...


class Store(Protocol):
    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """What was true at one moment. It cannot write."""
        ...

    def glance(self) -> Transaction:
        """For one question alone: what is true at that moment, the same one for all who ask in one round of the loop.
        It cannot write.
        """
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
    """`services/status/validation.py`, as far as a session needs it."""

    def judge_trust(self, der: bytes) -> TrustedCertificate | Untrusted: ...
    async def check_status(self, certificate: TrustedCertificate, context: StatusContext) -> CertificateStatus: ...
    async def find_good(
        self, transaction: Transaction, certificate: TrustedCertificate, context: StatusContext
    ) -> Good | None:
        """`Good` by the lists alone, inside the caller's transaction: nobody is asked, nothing is written. None where
        that does not settle it; `check_status` does.
        """
        ...
