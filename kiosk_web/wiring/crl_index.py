"""Wires the index of revocation lists together: for the server that reads it, and for the process that writes it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

from cryptography import x509

from kiosk_web.adapters.anchor_files import AnchorFileRefused, load_trust_store
from kiosk_web.adapters.crl_files import CrlShelf
from kiosk_web.adapters.crl_manifest import ManifestRecord
from kiosk_web.adapters.crl_source_states import SourceStateFile
from kiosk_web.adapters.crl_sources import ListFetcher, list_files, offer_file
from kiosk_web.adapters.crl_writer import CrlWriter, open_writer
from kiosk_web.adapters.key_files import KeyFiles
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.list_marks import SqlListMarks
from kiosk_web.adapters.store.migration import migrate
from kiosk_web.errors import ListIndexError, SettingsError
from kiosk_web.pki.crl_trust import CrlPolicy
from kiosk_web.pki.names import canonicalise_name
from kiosk_web.services.lists.alarms import AlarmName, ListAlarm, ListLimits, judge_alarms, judge_list
from kiosk_web.services.lists.intake import Expectation, IntakeWatcher, ListIntake, ListOutcome, OfferedList
from kiosk_web.services.lists.refresh import (
    ListRefresh,
    ListSource,
    RefreshWatcher,
    SourceFailure,
    SourceOutcome,
    SourceState,
)
from kiosk_web.settings.crl import CrlSettings, CrlSourceSettings
from kiosk_web.settings.server import Settings

FOLDER = "crl"
IMPORT_LIMIT = 1 << 32
"""Octets of a list that somebody imports by hand: more than a hundred million entries, which must fit into memory."""

_LOCK_SECONDS = 0.2


def build_policy(settings: CrlSettings) -> CrlPolicy:
    """How lists are believed here."""
    return CrlPolicy(max_age=timedelta(hours=settings.max_age_hours))


def build_limits(settings: CrlSettings) -> ListLimits:
    """When staff are told."""
    policy = build_policy(settings)
    return ListLimits(policy.max_age, policy.skew, timedelta(hours=settings.alarm_hours))


def build_sources(settings: CrlSettings) -> tuple[ListSource, ...]:
    """The configured sources. Raises `SettingsError` for a distribution point that is no name."""
    return tuple(
        ListSource(
            name=source.name,
            kind=source.kind,
            place=source.url or str(source.path),
            max_bytes=source.max_bytes,
            budget_seconds=source.budget_seconds,
            interval=timedelta(minutes=source.interval_minutes),
            expected=_build_expectation(source),
        )
        for source in settings.sources
    )


def _build_expectation(source: CrlSourceSettings) -> Expectation:
    key_id = None if source.issuer_key_id is None else bytes.fromhex(source.issuer_key_id.replace(":", ""))
    if source.point is None:
        return Expectation(key_id)
    try:
        name = x509.Name.from_rfc4514_string(source.point).public_bytes()
    except ValueError:
        raise SettingsError(f"crl.sources: {source.name}: point is not a name like CN=…,OU=…,C=JP") from None
    return Expectation(key_id, canonicalise_name(name))


def open_shelf(settings: Settings) -> CrlShelf:
    """The lists, to be asked."""
    keys = KeyFiles(settings.data, secrets.token_bytes)
    return CrlShelf(settings.data / FOLDER, keys.load_index_public_key)


def load_source_states(settings: Settings) -> Callable[[], Mapping[str, SourceState]]:
    """What is remembered of the sources, looked at anew at each call."""
    return SourceStateFile(settings.data / FOLDER).load


@dataclass(frozen=True)
class _Writing:
    """The index, held by this process."""

    writer: CrlWriter
    intake: ListIntake


@contextlib.asynccontextmanager
async def _hold_index(settings: Settings, clock: Callable[[], datetime], patience: float) -> AsyncIterator[_Writing]:
    """Raises `ListIndexError`; `writer_busy` only after `patience` seconds of waiting."""
    try:
        anchors = load_trust_store(
            settings.anchors, production=not settings.demo, confirmed_fingerprints=settings.confirmed_fingerprints
        )
    except AnchorFileRefused as error:
        raise SettingsError(str(error)) from None
    migrate(settings.data)
    key = KeyFiles(settings.data, secrets.token_bytes).load_index_key()
    store = SqlStore(settings.data)
    try:
        with contextlib.ExitStack() as held:
            writer = await _wait_for_writer(
                lambda: held.enter_context(open_writer(settings.data / FOLDER, key, clock)), patience
            )
            intake = ListIntake(
                anchors=anchors,
                policy=build_policy(settings.crl),
                index=writer,
                book=SqlListMarks(store),
                clock=clock,
            )
            yield _Writing(writer, intake)
    finally:
        await store.close()


async def _wait_for_writer(enter: Callable[[], CrlWriter], patience: float) -> CrlWriter:
    """Raises `ListIndexError`; `writer_busy` only after `patience` seconds."""
    until = monotonic() + patience
    while True:
        try:
            return enter()
        except ListIndexError as error:
            if error.why != "writer_busy" or monotonic() >= until:
                raise
        await asyncio.sleep(_LOCK_SECONDS)


def find_lists(paths: Iterable[Path]) -> tuple[OfferedList, ...]:
    """Lists that somebody names: files as they are, and those in folders. Raises `ListIndexError`."""
    offers = []
    for path in paths:
        source = ListSource("", "directory" if path.is_dir() else "file", str(path), IMPORT_LIMIT, 0)
        found = list_files(source)
        if isinstance(found, SourceFailure):
            raise ListIndexError(found.why, str(path))
        offers += [offer_file(source, file) for file in found]
    return tuple(offers)


async def import_lists(
    settings: Settings,
    offers: Sequence[OfferedList],
    watcher: IntakeWatcher,
    *,
    clock: Callable[[], datetime],
    patience: float = 0,
    dry: bool = False,
) -> tuple[ListOutcome, ...]:
    """Take lists in. Raises `ListIndexError`, and nothing has changed."""
    async with _hold_index(settings, clock, patience) as writing:
        return await writing.intake.take_in(offers, watcher, dry=dry)


async def refresh_lists(
    settings: Settings,
    names: Collection[str],
    watcher: RefreshWatcher,
    *,
    clock: Callable[[], datetime],
    patience: float = 0,
) -> tuple[SourceOutcome, ...]:
    """Refresh the sources of these names, all without any. Raises `ListIndexError` or `SettingsError`."""
    sources = build_sources(settings.crl)
    unknown = sorted(set(names) - {source.name for source in sources})
    if unknown:
        raise SettingsError(f"crl.sources: there is no source '{unknown[0]}'")
    chosen = [source for source in sources if not names or source.name in names]
    folder = settings.data / FOLDER
    async with _hold_index(settings, clock, patience) as writing, ListFetcher(folder) as reader:
        refresh = ListRefresh(
            reader=reader,
            intake=writing.intake,
            index=writing.writer,
            states=SourceStateFile(folder),
            clock=clock,
        )
        return await refresh.refresh(chosen, watcher)


@dataclass(frozen=True)
class IndexReport:
    """What is in force, by label, and what is wrong with it. `conditions` go with `records`, None for a good list."""

    generation: int
    records: tuple[ManifestRecord, ...]
    conditions: tuple[AlarmName | None, ...]
    sources: dict[str, SourceState]
    alarms: tuple[ListAlarm, ...]
    bytes: int


async def load_report(settings: Settings, now: datetime) -> IndexReport:
    """Look at the index as a look-up would, and read it as a whole."""
    migrate(settings.data)
    shelf = open_shelf(settings)
    shelf.check_digests()
    store = SqlStore(settings.data)
    try:
        marks = await SqlListMarks(store).load_all()
    finally:
        await store.close()
    records, damaged = sorted(shelf.records(), key=lambda record: record.label), shelf.damaged()
    limits, states = build_limits(settings.crl), load_source_states(settings)()
    out_of_use = {record.scope for record in damaged}
    configured = [source.name for source in settings.crl.sources]
    return IndexReport(
        generation=shelf.generation,
        records=tuple(records),
        conditions=tuple(
            "list_damaged" if record.scope in out_of_use else judge_list(record, limits, now, marks.get(record.scope))
            for record in records
        ),
        sources={name: state for name, state in states.items() if name in configured},
        alarms=judge_alarms(
            records,
            damaged=damaged,
            trouble=shelf.trouble,
            marks=marks,
            sources=configured,
            states=states,
            limits=limits,
            now=now,
        ),
        bytes=sum(file.size for file in {record.place.file for record in records}),
    )
