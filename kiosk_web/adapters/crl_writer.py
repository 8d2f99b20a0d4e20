"""The index of revocation lists on the disk, and the only one who writes it (`docs/crl.md` shows the folder).

A batch of new lists becomes one file of segments, then one manifest names what is in force: two files, however many
lists. The manifest is renamed when all it needs was forced to the disk: its own content, the file of segments, and that
one's name. Whatever happens before, the old manifest with its files is untouched; readers and the next start see the
old index or the new one. Files that no manifest names are removed afterwards.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk_web.adapters.crl_folder import IndexFolder, check_segment, map_segments
from kiosk_web.adapters.crl_manifest import (
    ManifestDamaged,
    ManifestRecord,
    SegmentFile,
    SegmentPlace,
    build_manifest,
    hash_name,
    read_manifest,
)
from kiosk_web.adapters.crl_sources import FULL_DISK
from kiosk_web.adapters.durable_files import DRAFT_ENDING, DraftFile, remove_files, sync_folder
from kiosk_web.errors import ListIndexError
from kiosk_web.file_lock import LockHeld, hold_lock
from kiosk_web.pki.crl_builder import build_segment
from kiosk_web.pki.crl_layout import SegmentDamaged
from kiosk_web.pki.crl_trust import ListHeader, ListMark, ListScope, TrustedCrl

MOST_FILES = 16
"""Files of segments in use. One more, and the next batch takes over everything that is still in force."""

FORGET_AFTER = timedelta(days=30)
"""A list that was to be followed by another so long ago is no longer kept: its source or its issuer is gone."""

ALIGNMENT = 64
"""A segment begins at a multiple of it."""


@contextlib.contextmanager
def open_writer(root: Path, key: Ed25519PrivateKey, clock: Callable[[], datetime]) -> Iterator[CrlWriter]:
    """Hold the index until the block ends. Raises `ListIndexError`, at once if another process holds it."""
    folder = IndexFolder(root)
    with _naming_trouble():
        folder.segments.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            lock = contextlib.ExitStack()
            lock.enter_context(hold_lock(folder.lock))
        except LockHeld:
            raise ListIndexError("writer_busy", "another process writes the index of revocation lists") from None
    with lock:
        with _naming_trouble():
            writer = CrlWriter(folder, key, clock)
        yield writer


@contextlib.contextmanager
def _naming_trouble() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = "disk_full" if error.errno in FULL_DISK else "disk_failed"
        raise ListIndexError(why, error.strerror or "the index could not be written") from None


class CrlWriter:
    """Implements `services.lists.intake.ListIndex`. Made by `open_writer`, while the lock is held.

    A manifest that is damaged, or signed with another key, is put aside and the index begins anew: what may be
    believed is in the database, and every list comes again from its source.
    """

    def __init__(self, folder: IndexFolder, key: Ed25519PrivateKey, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._key = key
        self._clock = clock
        self.generation = 0
        self.records: dict[ListScope, ManifestRecord] = {}
        self._load()
        self._remove_leftovers()

    @property
    def marks(self) -> Mapping[ListScope, ListMark]:
        return {scope: record.mark for scope, record in self.records.items()}

    def is_sound(self, scope: ListScope) -> bool:
        record = self.records.get(scope)
        if record is None:
            return False
        try:
            with map_segments(self._folder.segment_file(record.place.file)) as view:
                check_segment(view, record.place)
        except (OSError, SegmentDamaged):
            return False
        return True

    @contextlib.contextmanager
    def begin(self) -> Iterator[SegmentBatch]:
        with _naming_trouble():
            draft = DraftFile(self._folder.segments, "batch")
        try:
            yield SegmentBatch(self, draft)
        finally:
            draft.discard()

    def write(self, draft: DraftFile, added: Mapping[ListScope, ManifestRecord]) -> None:
        """Publish the segments of a batch and bring `added` into force."""
        now = self._clock()
        kept = {
            scope: record
            for scope, record in self.records.items()
            if scope not in added and record.next_update > now - FORGET_AFTER
        }
        if _is_scattered(kept.values()):
            added = {**added, **self._copy(kept.values(), draft)}
        draft_file = self._name(draft, added.values())
        published = {
            scope: replace(record, place=replace(record.place, file=draft_file)) for scope, record in added.items()
        }
        records = {**kept, **published}
        generation = self.generation + 1
        manifest = build_manifest(records.values(), generation=generation, written_at=now, sign=self._key.sign)
        draft.publish_ahead(self._folder.segment_file(draft_file))
        self._publish(manifest, draft)
        self.generation, self.records = generation, records
        self._remove_leftovers()

    def _publish(self, manifest: bytes, segments: DraftFile) -> None:
        """Bring a manifest into force, as soon as everything it tells of is on the disk."""
        path = self._folder.manifest
        draft = DraftFile(path.parent, path.name)
        try:
            draft.write(manifest)
            segments.force()
            sync_folder(self._folder.segments)
            draft.publish(path)
        finally:
            draft.discard()
        sync_folder(path.parent)

    def _name(self, draft: DraftFile, added: Iterable[ManifestRecord]) -> SegmentFile:
        """A name that no file had before: readers may still hold the one with the same segments."""
        digest = hashlib.sha256(b"%d\0" % self.generation)
        for record in added:
            digest.update(record.place.header_sha256)
        return SegmentFile(digest.hexdigest(), draft.position)

    def _copy(self, records: Iterable[ManifestRecord], draft: DraftFile) -> dict[ListScope, ManifestRecord]:
        """Segments of other files, as they are; a damaged one stays where it is, to be told and taken in again."""
        copied = {}
        for record in records:
            place = record.place
            try:
                with map_segments(self._folder.segment_file(place.file)) as view:
                    content = check_segment(view, place)
                    offset = _align(draft)
                    draft.write(content)
                    del content
            except (FileNotFoundError, SegmentDamaged):
                continue
            copied[record.scope] = replace(record, place=replace(place, offset=offset))
        return copied

    def _load(self) -> None:
        try:
            data = self._folder.manifest.read_bytes()
        except FileNotFoundError:
            return
        try:
            manifest = read_manifest(data, self._key.public_key())
        except ManifestDamaged:
            self._folder.manifest.replace(self._folder.root / "manifest.damaged")
            return
        self.generation = manifest.generation
        self.records = {record.scope: record for record in manifest.load_records()}

    def _remove_leftovers(self) -> None:
        """Everything that the manifest does not name: of batches before, and of processes that ended half-way."""
        files = {record.place.file for record in self.records.values()}
        named = {self._folder.segment_file(file) for file in files}
        remove_files(path for path in self._folder.segments.iterdir() if path not in named)
        remove_files(self._folder.root.glob(f"*{DRAFT_ENDING}"))


class SegmentBatch:
    """Implements `services.lists.intake.ListBatch`."""

    def __init__(self, writer: CrlWriter, draft: DraftFile) -> None:
        self._writer = writer
        self._draft = draft
        self._added: dict[ListScope, ManifestRecord] = {}

    def add(self, crl: TrustedCrl, label: str, progress: Callable[[int], object]) -> ListHeader:
        with _naming_trouble():
            begin = self._draft.position
            offset = _align(self._draft)
            try:
                built = build_segment(crl, self._draft.write, progress)
            except ValueError:
                self._draft.go_back(begin)
                raise
        header = built.header
        key_id = header.scope.key_id
        self._added[header.scope] = ManifestRecord(
            scope=header.scope,
            label=label,
            mark=header.mark,
            next_update=header.next_update,
            entries=header.entries,
            size=header.size,
            place=SegmentPlace(SegmentFile("", 0), offset, self._draft.position - offset, built.header_sha256),
            names=frozenset(hash_name(key_id, name) for name in header.point_names or {b""}),
        )
        return header

    def commit(self) -> None:
        with _naming_trouble():
            self._writer.write(self._draft, self._added)


def _align(draft: DraftFile) -> int:
    draft.write(bytes(-draft.position % ALIGNMENT))
    return draft.position


def _is_scattered(records: Collection[ManifestRecord]) -> bool:
    """Are there too many files, or more dead octets in them than live ones?"""
    live = {record.place.file: 0 for record in records}
    for record in records:
        live[record.place.file] += record.place.length
    size = sum(file.size for file in live)
    return len(live) >= MOST_FILES or size > 2 * sum(live.values())
