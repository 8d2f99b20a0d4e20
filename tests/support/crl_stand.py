"""An index of revocation lists in a folder of its own: lists to order, taken in and asked by the real parts."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from kiosk_web.adapters.crl_files import CrlShelf
from kiosk_web.adapters.crl_writer import CrlWriter, open_writer
from kiosk_web.pki.crl_trust import CrlPolicy, ListMark, ListScope, merge_list_marks
from kiosk_web.pki.trust import TrustedCertificate, TrustStore
from kiosk_web.services.lists.intake import ListIntake, ListOutcome, OfferedList
from tests.support.crl_writer import ListShape, build_list, encode_entry, encode_point
from tests.support.jpki import NOW, Root, build_root, issue, trust

LIMIT = 1 << 30
ORDINARY = ListShape()


@functools.cache
def index_key() -> Ed25519PrivateKey:
    """The key of every index in a test."""
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


class MemoryMarkBook:
    """Implements `services.lists.intake.ListMarkBook`, in memory: what the database keeps in production."""

    def __init__(self) -> None:
        self.marks: dict[ListScope, ListMark] = {}

    async def load_all(self) -> Mapping[ListScope, ListMark]:
        return dict(self.marks)

    async def record(self, marks: Mapping[ListScope, ListMark]) -> None:
        for scope, mark in marks.items():
            known = self.marks.get(scope)
            self.marks[scope] = mark if known is None else merge_list_marks(known, mark)


class SilentWatcher:
    """Implements `services.lists.refresh.RefreshWatcher`: counts what it hears."""

    def __init__(self) -> None:
        self.lists = self.size = self.octets = 0
        self.sources: list[str] = []
        self.outcomes: list[ListOutcome] = []

    def tell_sources(self, count: int) -> None:
        self.sources = []

    def tell_source(self, source: str) -> None:
        self.sources.append(source)

    def tell_lists(self, count: int, size: int) -> None:
        self.lists, self.size = count, size

    def tell_octets(self, octets: int) -> None:
        self.octets += octets

    def tell_list(self, outcome: ListOutcome) -> None:
        self.outcomes.append(outcome)


@dataclass
class ListStand:
    """`folder` is that of the index. The clock stands at `now`, the shelf looks at the disk at every look-up."""

    folder: Path
    root: Root = field(default_factory=build_root)
    now: datetime = NOW
    book: MemoryMarkBook = field(default_factory=MemoryMarkBook)
    looks: float = 0.0

    def clock(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        self.looks += 10
        return self.looks

    def open_shelf(self) -> CrlShelf:
        return CrlShelf(self.folder, index_key().public_key, monotonic=self.monotonic)

    @contextlib.contextmanager
    def writing(self) -> Iterator[CrlWriter]:
        with open_writer(self.folder, index_key(), self.clock) as writer:
            yield writer

    def build_intake(self, writer: CrlWriter, *roots: Root) -> ListIntake:
        anchors = TrustStore([root.anchor for root in (self.root, *roots)])
        return ListIntake(anchors=anchors, policy=CrlPolicy(), index=writer, book=self.book, clock=self.clock)

    async def take_in(self, *lists: bytes | OfferedList, dry: bool = False) -> tuple[ListOutcome, ...]:
        """Take lists in, as one batch."""
        offers = [item if isinstance(item, OfferedList) else offer(item, str(n)) for n, item in enumerate(lists)]
        with self.writing() as writer:
            return await self.build_intake(writer).take_in(offers, SilentWatcher(), dry=dry)

    def certificate(self, serial: int) -> TrustedCertificate:
        """A trusted certificate of the town that `town_point` names."""
        return trust(issue(self.root, serial=serial), self.root, self.now)

    def answer(self, shelf: CrlShelf, serial: int) -> list[str | None]:
        """What each covering list says: a reason ("" without one), or None for silence. Empty without a list."""
        findings = shelf.look_up(self.certificate(serial))
        return [None if finding.entry is None else finding.entry.reason or "" for finding in findings]


def save_root(folder: Path, root: Root) -> None:
    """For another process: keys of tests are made anew in each."""
    key = root.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "root.pem").write_bytes(key + root.certificate.public_bytes(Encoding.PEM))


def load_root(folder: Path) -> Root:
    pem = (folder / "root.pem").read_bytes()
    key = load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return Root(key, x509.load_pem_x509_certificate(pem))


def offer(data: bytes, label: str = "list.crl", source: str = "test", max_bytes: int = LIMIT) -> OfferedList:
    """Bytes as a list that a source has."""

    def opened() -> AbstractContextManager[memoryview]:
        return nullcontext(memoryview(data))

    return OfferedList(source, label, opened, opened, max_bytes)


def offer_what(opened: Callable[[], AbstractContextManager[memoryview]], label: str = "list.crl") -> OfferedList:
    """A list that is opened by a test's own means."""
    return OfferedList("test", label, opened, opened, LIMIT)


def list_of(root: Root, serials: Sequence[int], shape: ListShape = ORDINARY) -> bytes:
    """A list of the whole CA, or of `shape.point`, that names these serial numbers."""
    return build_list(root, [encode_entry(serial) for serial in serials] or None, shape)


@functools.cache
def town_point(town: str = "Kasumi-ku") -> bytes:
    """issuingDistributionPoint of a town; the certificates of `issue` are of Kasumi-ku."""
    points = issue(build_root()).certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    names = points[0].full_name
    assert names is not None
    name = names[0].value
    *parts, last = list(name)
    own = x509.NameAttribute(last.oid, str(last.value).replace("Kasumi-ku", town))
    return encode_point([x509.DirectoryName(x509.Name([*parts, own]))])
