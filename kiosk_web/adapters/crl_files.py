"""The shelf: revocation lists that were taken in, mapped and ready to be asked. It only reads, and never waits.

Every process of the server has one; the mapped files are shared by all of them. A new manifest is noticed by looking at
its file at most once a second, and takes the place of the old one in one step: whoever is in the middle of a look-up
ends it on the old one.
"""

from __future__ import annotations

import contextlib
import mmap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk_web.adapters.crl_folder import IndexFolder, open_segment
from kiosk_web.adapters.crl_manifest import Manifest, ManifestDamaged, ManifestRecord, SegmentFile, read_manifest
from kiosk_web.errors import KeysError
from kiosk_web.pki.crl_layout import SegmentDamaged
from kiosk_web.pki.crl_segment import Segment
from kiosk_web.pki.crl_status import ListFinding, covers
from kiosk_web.pki.distribution_points import DistributionPoint
from kiosk_web.pki.trust import TrustedCertificate
from kiosk_web.services.lists.alarms import AlarmName

LOOK_SECONDS = 1.0
"""How old a look at the manifest may be."""

_MOST_PLACES = 1 << 16
"""Distribution points that are remembered: those that nobody made a list for would fill the memory."""

_ATTEMPTS = 5
"""A writer may remove the files of the old manifest while they are being opened; then the new one is read."""

_Place: TypeAlias = tuple[bytes, bool, tuple[DistributionPoint, ...]]
"""Key of the issuer, is it a CA, distribution points: which lists cover a certificate depends on nothing else."""


class CrlShelf:
    """Implements `services.status.validation.ListShelf`. `load_key` gives the public key of the index, None before
    there is one.
    """

    def __init__(
        self,
        folder: Path,
        load_key: Callable[[], Ed25519PublicKey | None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = IndexFolder(folder)
        self._load_key = load_key
        self._monotonic = monotonic
        self._looked_at = float("-inf")
        self._stamp: object = None
        self._reading = _Reading(None, {})
        self._trouble: AlarmName | None = None

    def look_up(self, certificate: TrustedCertificate) -> tuple[ListFinding, ...]:
        """What each list that covers the certificate says about it.

        Empty without one, and also if one of them is damaged: whatever stood there is unknown, and the silence of
        another list is no answer to that.
        """
        self.refresh()
        reading, serial = self._reading, certificate.certificate.serial
        findings = []
        for number, segment in reading.find_covering(certificate) or ():
            try:
                findings.append(ListFinding(segment.header, segment.find(serial)))
            except SegmentDamaged:
                reading.put_out_of_use(number)
                return ()
        return tuple(findings)

    @property
    def trouble(self) -> AlarmName | None:
        """Why the manifest on the disk cannot be used, if it cannot."""
        return self._trouble

    @property
    def generation(self) -> int:
        """Rises with every change of the index; 0 before the first."""
        self.refresh()
        return self._reading.generation

    def records(self) -> tuple[ManifestRecord, ...]:
        """The lists in force."""
        self.refresh()
        return self._reading.records()

    def damaged(self) -> tuple[ManifestRecord, ...]:
        """Those that are out of use because their segment is not what was written."""
        return tuple(self._reading.record(number) for number in sorted(self._reading.damaged))

    def segments(self) -> Iterator[tuple[ManifestRecord, Segment]]:
        """All lists in force that are sound, as far as was looked. A batch asks them one by one."""
        self.refresh()
        reading = self._reading
        for number in range(len(reading)):
            try:
                segment = reading.segment(number)
            except SegmentDamaged:
                reading.put_out_of_use(number)
                continue
            yield reading.record(number), segment

    def check_digests(self) -> bool:
        """Read every segment to its last octet and put damaged ones out of use. Takes its time: for another thread.

        False if something is damaged.
        """
        self.refresh()
        reading = self._reading
        for number in range(len(reading)):
            with contextlib.suppress(SegmentDamaged):
                if reading.segment(number).check_digest():
                    continue
            reading.put_out_of_use(number)
        reading.records()  # decoded here, and not where somebody waits
        return not reading.damaged

    def refresh(self) -> None:
        """Take a new manifest into use, if there is one and the last look is older than `LOOK_SECONDS`."""
        now = self._monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        stamp = self._read_stamp()
        if stamp != self._stamp and self._open():
            self._stamp = stamp

    def _read_stamp(self) -> object:
        try:
            state = self._folder.manifest.stat()
        except OSError:
            return None
        return state.st_ino, state.st_mtime_ns, state.st_size

    def _open(self) -> bool:
        """Read the manifest. What cannot be believed does not take the place of what is in use."""
        try:
            reading = self._read()
        except ManifestDamaged:
            self._trouble = "index_damaged"
        except KeysError:
            self._trouble = "index_key"
        except OSError:
            self._trouble = "index_unreadable"
        else:
            self._reading = reading
            self._trouble = None
            return True
        return False

    def _read(self) -> _Reading:
        for attempt in range(_ATTEMPTS):
            try:
                data = self._folder.manifest.read_bytes()
            except FileNotFoundError:
                return _Reading(None, {})
            key = self._load_key()
            if key is None:
                raise ManifestDamaged("there is no key to check it with")
            manifest = read_manifest(data, key)
            files = {file: _map_file(self._folder.segment_file(file)) for file in manifest.files}
            if None not in files.values() or attempt == _ATTEMPTS - 1:
                break
        return _Reading(manifest, {file: view for file, view in files.items() if view is not None})


class _Reading:
    """One manifest with its files mapped. Segments are opened when they are first asked."""

    def __init__(self, manifest: Manifest | None, files: dict[SegmentFile, memoryview]) -> None:
        self._manifest = manifest
        self._files = files
        self._covering: dict[_Place, tuple[tuple[int, Segment], ...]] = {}
        self._segments: dict[int, Segment] = {}
        self._records: tuple[ManifestRecord, ...] | None = None
        self.damaged: frozenset[int] = frozenset()

    @property
    def generation(self) -> int:
        return 0 if self._manifest is None else self._manifest.generation

    def __len__(self) -> int:
        return 0 if self._manifest is None else len(self._manifest)

    def find_covering(self, certificate: TrustedCertificate) -> tuple[tuple[int, Segment], ...] | None:
        """The lists that cover the certificate, with their numbers. None if one that may be among them is damaged."""
        known = self._covering  # what is found now is not kept if a segment is put out of use meanwhile
        inner = certificate.certificate
        place = certificate.anchor.key_id, inner.is_ca, inner.distribution_points
        found = known.get(place)
        if found is None:
            found = self._open_covering(certificate)
            if found is not None and len(known) < _MOST_PLACES:
                known[place] = found
        return found

    def _open_covering(self, certificate: TrustedCertificate) -> tuple[tuple[int, Segment], ...] | None:
        if self._manifest is None:
            return ()
        points = certificate.certificate.distribution_points
        names = {b""}.union(*(point.names for point in points if point.plain))
        found = []
        for number in sorted(
            {number for name in names for number in self._manifest.find(certificate.issuer_key_id, name)}
        ):
            try:
                segment = self.segment(number)
            except SegmentDamaged:
                self.put_out_of_use(number)
                return None
            if covers(segment.header, certificate):
                found.append((number, segment))
        return tuple(found)

    def segment(self, number: int) -> Segment:
        """Raises `SegmentDamaged`."""
        if number in self.damaged:
            raise SegmentDamaged("the segment is out of use")
        segment = self._segments.get(number)
        if segment is None:
            assert self._manifest is not None
            place = self._manifest.place(number)
            if place.file not in self._files:
                raise SegmentDamaged("the file of the segment is missing")
            segment = open_segment(self._files[place.file], place)
            self._segments[number] = segment
        return segment

    def put_out_of_use(self, number: int) -> None:
        self.damaged |= {number}
        self._segments.pop(number, None)
        self._covering = {}

    def record(self, number: int) -> ManifestRecord:
        assert self._manifest is not None
        return self._manifest.record(number)

    def records(self) -> tuple[ManifestRecord, ...]:
        if self._records is None:
            self._records = tuple(self.record(number) for number in range(len(self)))
        return self._records


def _map_file(path: Path) -> memoryview | None:
    """None for a file that is not there, or is not what the manifest says: its lists are then out of use."""
    try:
        with path.open("rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):
        return None
