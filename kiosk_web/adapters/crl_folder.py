"""The folder of the index of revocation lists: what lies where, and how its files are mapped."""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kiosk_web.adapters.crl_manifest import SegmentFile, SegmentPlace
from kiosk_web.pki.crl_layout import SegmentDamaged
from kiosk_web.pki.crl_segment import Segment


@dataclass(frozen=True, slots=True)
class IndexFolder:
    """The places in the folder."""

    root: Path

    @property
    def manifest(self) -> Path:
        return self.root / "manifest.bin"

    @property
    def segments(self) -> Path:
        return self.root / "segments"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    def segment_file(self, file: SegmentFile) -> Path:
        return self.segments / f"{file.name}.idx"


def open_segment(view: memoryview, place: SegmentPlace) -> Segment:
    """The segment at a place of a mapped file, if its header is the one that the manifest vouches for.

    Raises `SegmentDamaged`. Takes the same time whatever the size.
    """
    return Segment.open(view[place.offset : place.offset + place.length], place.header_sha256)


def check_segment(view: memoryview, place: SegmentPlace) -> memoryview:
    """The octets of a segment. Raises `SegmentDamaged` unless all of them are what was written."""
    if not open_segment(view, place).check_digest():
        raise SegmentDamaged("the segment is not the one that was written")
    return view[place.offset : place.offset + place.length]


@contextlib.contextmanager
def map_segments(path: Path) -> Iterator[memoryview]:
    with path.open("rb") as file:
        try:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise SegmentDamaged("the file of the segment is empty") from None
    try:
        yield memoryview(mapped)
    finally:
        with contextlib.suppress(BufferError):
            mapped.close()
