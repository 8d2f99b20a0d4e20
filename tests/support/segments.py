"""Segments in memory: from a list to its index without a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kiosk_web.pki.crl import read_crl
from kiosk_web.pki.crl_builder import build_segment
from kiosk_web.pki.crl_segment import Segment
from kiosk_web.pki.crl_status import ListEntry
from kiosk_web.pki.crl_trust import CrlPolicy, ListMark, ListScope, TrustedCrl, judge_crl
from kiosk_web.pki.trust import TrustStore
from tests.support.crl_writer import ListShape, build_list
from tests.support.jpki import NOW, Root, build_root


def trust_list(
    data: bytes | memoryview, root: Root, now: datetime = NOW, marks: dict[ListScope, ListMark] | None = None
) -> TrustedCrl:
    """The list as the product trusts it."""
    trusted = judge_crl(read_crl(data), TrustStore([root.anchor]), CrlPolicy(), now, marks or {})
    assert isinstance(trusted, TrustedCrl), trusted
    return trusted


def write_segment(trusted: TrustedCrl) -> bytes:
    """The octets of its segment."""
    parts: list[bytes] = []
    build_segment(trusted, lambda part: parts.append(bytes(part)))
    return b"".join(parts)


def index(entries: Sequence[bytes], shape: ListShape | None = None, root: Root | None = None) -> bytes:
    """The segment of a list with these entries."""
    root = root or build_root()
    return write_segment(trust_list(build_list(root, entries, shape or ListShape()), root))


def state_entry(revoked_at: datetime, reason: str | None) -> ListEntry:
    """What a list says of a number that it names."""
    return ListEntry(int(revoked_at.timestamp()), reason)


def open_segment(octets: bytes) -> Segment:
    return Segment.open(memoryview(octets))
