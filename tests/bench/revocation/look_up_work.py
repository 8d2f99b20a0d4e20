"""Asking the index, in every way it is asked. Each function is the work of one child (`child.run_job`)."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kiosk_web.adapters.crl_files import CrlShelf
from kiosk_web.pki.crl_segment import Segment
from kiosk_web.pki.crl_status import ListFinding
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, judge_trust_of_bytes
from tests.bench.revocation.index_work import INDEX_FOLDER, INDEX_KEY, build_store
from tests.bench.revocation.others import MappedKeys
from tests.bench.turns import take_turns
from tests.support.crl_writer import derive_absent_serials, derive_serials
from tests.support.jpki import NOW

SERIALS = 20_000
"""Asked in one turn, scattered over the whole list."""


def open_shelf(data: str) -> CrlShelf:
    """A shelf that has not looked at the disk yet."""
    return CrlShelf(Path(data) / INDEX_FOLDER, INDEX_KEY.public_key)


def open_segment(data: str) -> Segment:
    """The one segment of an index with one list."""
    ((_record, segment),) = open_shelf(data).segments()
    return segment


def trust_all(ders: Sequence[str], root: str) -> list[TrustedCertificate]:
    """Certificates in hexadecimal."""
    store, found = build_store(root), []
    for der in ders:
        trusted = judge_trust_of_bytes(bytes.fromhex(der), store, TrustPolicy(), NOW)
        if not isinstance(trusted, TrustedCertificate):
            raise RuntimeError(trusted.detail)
        found.append(trusted)
    return found


def look_up(data: str, keys: str, entries: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of one look-up by serial number, listed and not, and of `bisect` over a bare mapped array, in turn."""
    segment, bare = open_segment(data), MappedKeys(Path(keys))
    count = min(SERIALS, entries)
    listed = derive_serials(0, count)
    absent = [int(number) for number in derive_absent_serials(0, count)]

    def ask(serials: list[int], wanted: bool) -> None:
        find = segment.find
        for serial in serials:
            if (find(serial) is not None) is not wanted:
                raise RuntimeError("a look-up is wrong")

    def ask_bare() -> None:
        find = bare.find
        for serial in listed:
            if not find(serial):
                raise RuntimeError("a look-up is wrong")

    works = {"listed": lambda: ask(listed, True), "absent": lambda: ask(absent, False), "bisect": ask_bare}
    times = take_turns(works, rounds, units=count)
    return {name: samples.values for name, samples in times.items()}


def write_keys(keys: str, entries: int) -> None:
    """The sorted numbers of a list, bare, for `MappedKeys`."""
    numbers = np.sort(derive_absent_serials(0, entries) - np.uint64(1))
    Path(keys).write_bytes(numbers.tobytes())


def open_index(data: str, root: str, der: str, times: int) -> list[float]:
    """Seconds from nothing to the answer about one certificate, each time by a new shelf."""
    (certificate,) = trust_all([der], root)
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        found = open_shelf(data).look_up(certificate)
        seconds.append(time.perf_counter() - began)
        if len(found) != 1:
            raise RuntimeError("not exactly one list covers the certificate")
    return seconds


def ask_many(data: str, keys: str, count: int, entries: int, rounds: int) -> dict[str, list[float]]:
    """Seconds for `count` serial numbers at once, half of them listed, in no order; and for numpy's search alone."""
    segment = open_segment(data)
    half = count // 2
    numbers = np.concatenate(
        [derive_absent_serials(0, half) - np.uint64(1), derive_absent_serials(entries, count - half)]
    )
    np.random.default_rng(1).shuffle(numbers)
    bare = np.fromfile(keys, np.uint64)
    listed = min(half, entries)

    def ask() -> None:
        if int(segment.find_many(numbers).listed.sum()) != listed:
            raise RuntimeError("a batch is wrong")

    works = {"batch": ask, "searchsorted": lambda: np.searchsorted(bare, numbers)}
    times = take_turns(works, rounds)
    return {name: samples.values for name, samples in times.items()}


def look_up_people(data: str, root: str, ders: list[str], rounds: int) -> dict[str, Any]:
    """Seconds to ask the shelf about one certificate: which lists cover it, and what they say."""
    shelf, certificates = open_shelf(data), trust_all(ders, root)
    listed = 0

    def ask() -> None:
        nonlocal listed
        listed = 0
        for certificate in certificates:
            (finding,) = shelf.look_up(certificate)
            listed += _is_listed(finding)

    times = take_turns({"shelf": ask}, rounds, units=len(certificates))
    return {"seconds": times["shelf"].values, "listed": listed}


def _is_listed(finding: ListFinding) -> bool:
    return finding.entry is not None


def check_people(data: str, root: str, ders: str, rounds: int) -> None:
    """One of several workers: says that it is ready, waits for a line, and prints the seconds that its share took.

    `ders` names a file with a certificate a line.
    """
    from tests.bench.revocation.certificate import check_all

    encoded = [bytes.fromhex(line) for line in Path(ders).read_text().split()]
    shelf, store = open_shelf(data), build_store(root)
    check_all(encoded, store, shelf)
    print("ready", flush=True)
    for _line in sys.stdin:
        began = time.perf_counter()
        for _ in range(rounds):
            check_all(encoded, store, shelf)
        print(time.perf_counter() - began, flush=True)
