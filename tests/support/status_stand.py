"""A validation service on real lists and a scripted responder, with everything that decides in a test's hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cryptography import x509

from kiosk_web.pki.crl_status import ListFinding
from kiosk_web.pki.crl_trust import CrlPolicy, ListMark, ListScope
from kiosk_web.pki.fallback import DatedWindow, FallbackState, OpeningRecord
from kiosk_web.pki.ocsp import OcspResponderPolicy
from kiosk_web.pki.plan import FetchFailure
from kiosk_web.pki.status import CertificateStatus
from kiosk_web.pki.status_policy import PolicyName, StatusContext, StatusPolicy
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, TrustStore
from kiosk_web.services.ports.marks import Remembered
from kiosk_web.services.status.validation import Lists, ListShelf, ValidationService
from tests.support.crl_stand import ListStand, MemoryMarkBook, list_of
from tests.support.crl_writer import ListShape, build_list, encode_entry, encode_reason
from tests.support.fallback import MemoryFallback
from tests.support.high_water import MemoryHighWaterMarks
from tests.support.jpki import NOW, Root, build_root
from tests.support.ocsp_answers import AnswerShape, answer

HOLD, SUPERSEDED = 6, 4
"""CRLReason (RFC 5280 5.3.1)."""

HOUR = timedelta(hours=1)
MANAGER = FallbackState(records=(OpeningRecord("manager", NOW - HOUR, NOW + HOUR, None, "notice", "Suzuki"),))
WINDOW = FallbackState(windows=(DatedWindow(NOW - HOUR, NOW + HOUR),))
UNASKED = FallbackState(windows=(DatedWindow(NOW - HOUR, NOW + HOUR, ask_responder=False),))
CLOSED = FallbackState()

Script = Callable[[bytes], bytes | FetchFailure]


def ask(name: PolicyName | None = "ocsp-then-crl", **changes: object) -> StatusContext:
    """A visit by 暗証番号 at a service of this policy, for a person of whom lists may speak."""
    usual = StatusContext(StatusPolicy(name), "pin", "identify", lists_permitted=True)
    return replace(usual, **changes)  # type: ignore[arg-type]  # handed through


def fail(kind: str) -> Script:
    """The exchange fails in this way."""
    return lambda request: FetchFailure(kind)  # type: ignore[arg-type]  # a kind


def say(root: Root | None = None, **shape: object) -> Script:
    """A right answer of this shape."""
    made = AnswerShape(**shape)  # type: ignore[arg-type]  # handed through
    return lambda request: answer(request, root or build_root(), shape=made)


def hold_answer(**shape: object) -> Script:
    """The certificate is suspended."""
    return say(status="revoked", reason=x509.ReasonFlags.certificate_hold, **shape)


def held_list(root: Root, serial: int, shape: ListShape = ListShape()) -> bytes:  # noqa: B008 a frozen value
    """A list on which this certificate is suspended."""
    return build_list(root, [encode_entry(serial, NOW - HOUR, [encode_reason(HOLD)])], shape)


def silent_list(root: Root, shape: ListShape = ListShape()) -> bytes:  # noqa: B008 a frozen value
    """A list that names others."""
    return list_of(root, [4711, 4712], shape)


class MemoryListMarks(MemoryMarkBook):
    """Implements `services.status.validation.ListMarks` too."""

    async def load(self, scopes: Collection[ListScope]) -> Mapping[ListScope, ListMark]:
        return {scope: mark for scope, mark in self.marks.items() if scope in scopes}

    async def load_newest_time(self) -> datetime | None:
        return max((mark.this_update for mark in self.marks.values()), default=None)


@dataclass
class MemoryMarkRows:
    """Implements `services.ports.MarkRows`."""

    certificates: MemoryHighWaterMarks
    lists: MemoryListMarks

    async def recall(self, key: bytes, scopes: Collection[ListScope]) -> Remembered:
        times = [await self.certificates.load_newest_time(), await self.lists.load_newest_time()]
        return Remembered(
            await self.certificates.load(key),
            await self.lists.load(scopes),
            max((time for time in times if time is not None), default=None),
        )


class CountingShelf:
    """A shelf, and how often it was asked."""

    def __init__(self, shelf: ListShelf) -> None:
        self._shelf = shelf
        self.questions = 0

    def look_up(self, certificate: TrustedCertificate) -> tuple[ListFinding, ...]:
        self.questions += 1
        return self._shelf.look_up(certificate)


@dataclass
class StatusStand:
    """`script` plays the responder; `requests` are what it was asked. The clock stands at `lists.now`."""

    folder: Path
    script: Script = field(default_factory=say)
    fallback: MemoryFallback = field(default_factory=MemoryFallback)
    marks: MemoryHighWaterMarks = field(default_factory=MemoryHighWaterMarks)
    responder_policy: OcspResponderPolicy = field(default_factory=lambda: OcspResponderPolicy("http://127.0.0.1:9/"))
    requests: list[bytes] = field(default_factory=list)
    clock_trusted: bool = True
    at_once: bool = False

    def __post_init__(self) -> None:
        self.list_marks = MemoryListMarks()
        self.lists = ListStand(self.folder, book=self.list_marks)
        self.shelf = CountingShelf(self.lists.open_shelf())
        numbers = itertools.count(1)
        self.service = ValidationService(
            store=TrustStore([self.root.anchor]),
            trust_policy=TrustPolicy(),
            responder_policy=self.responder_policy,
            fetcher=self,
            high_water=self.marks,
            lists=Lists(self.shelf, self.list_marks, CrlPolicy()),
            fallback=self.fallback,
            clock=self.lists.clock,
            is_clock_trusted=lambda: self.clock_trusted,
            entropy=lambda size: next(numbers).to_bytes(size, "big"),
        )

    @property
    def root(self) -> Root:
        return self.lists.root

    async def fetch_ocsp(self, url: str, request: bytes) -> bytes | FetchFailure:
        self.requests.append(request)
        return self.script(request)

    async def check(self, serial: int, context: StatusContext) -> CertificateStatus:
        """What the service says of the certificate of this serial number. Where the lists settle it at once, that is
        the same.
        """
        certificate, questions = self.lists.certificate(serial), self.shelf.questions
        at_once = await self.service.find_good(self.transaction, certificate, context)
        self.shelf.questions = questions
        status = await self.service.check_status(certificate, context)
        assert at_once in (None, status)
        self.at_once = at_once is not None
        return status

    @property
    def transaction(self) -> Any:
        """As far as `find_good` looks at it."""
        return SimpleNamespace(marks=MemoryMarkRows(self.marks, self.list_marks))


def spell(status: CertificateStatus) -> str:
    """The outcome with its word, if it has one: `unavailable timeout`, `good by crl`."""
    name = type(status).__name__.lower()
    why = getattr(status, "why", "")
    return f"{name} {why}" if why else f"{name} by {status.evidence.method}"
