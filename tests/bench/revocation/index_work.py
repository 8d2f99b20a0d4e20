"""Taking lists in, as the product does it. Each function is the work of one child (`child.run_job`)."""

from __future__ import annotations

import asyncio
import hashlib
import time
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk_web.adapters.crl_sources import map_path, offer_file
from kiosk_web.adapters.crl_writer import open_writer
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.list_marks import SqlListMarks
from kiosk_web.pki.algorithms import judge_signed_view
from kiosk_web.pki.anchors import Anchor, build_anchor
from kiosk_web.pki.crl import UnverifiedCrl, read_crl
from kiosk_web.pki.crl_builder import build_segment
from kiosk_web.pki.crl_trust import CrlPolicy, TrustedCrl, judge_crl
from kiosk_web.pki.trust import TrustStore
from kiosk_web.services.lists.intake import ListIntake
from kiosk_web.services.lists.refresh import ListSource
from tests.bench.revocation.child import read_peak, read_resident
from tests.bench.turns import take_turns
from tests.support.crl_stand import SilentWatcher
from tests.support.jpki import NOW

INDEX_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
INDEX_FOLDER = "crl"
"""In the data folder."""

_SOURCE = ListSource("bench", "file", "", max_bytes=1 << 40, budget_seconds=0)


def build_store(root: str) -> TrustStore:
    """The anchor in a DER file."""
    return TrustStore([build_anchor(Path(root).read_bytes(), "bench")])


def take_in(data: str, root: str, batches: list[list[str]]) -> dict[str, Any]:
    """Take each batch of lists in, one after the other: read, judge, index, force to the disk, record the marks.

    The seconds of each batch, what became of its lists, and the most memory beside what the process had before.
    """
    return asyncio.run(_take_in(Path(data), build_store(root), batches))


async def _take_in(data: Path, anchors: TrustStore, batches: list[list[str]]) -> dict[str, Any]:
    store = SqlStore(data)
    times, results = [], []
    try:
        with open_writer(data / INDEX_FOLDER, INDEX_KEY, lambda: NOW) as writer:
            intake = ListIntake(
                anchors=anchors, policy=CrlPolicy(), index=writer, book=SqlListMarks(store), clock=lambda: NOW
            )
            await intake.take_in([], SilentWatcher())  # what happens once in a process has happened then
            base = read_resident()
            for paths in batches:
                offers = [offer_file(_SOURCE, Path(path)) for path in paths]
                began = time.perf_counter()
                outcomes = await intake.take_in(offers, SilentWatcher())
                times.append(time.perf_counter() - began)
                results.append(sorted({outcome.result for outcome in outcomes}))
            sizes = {record.place.file: record.place.file.size for record in writer.records.values()}
    finally:
        await store.close()
    return {"seconds": times, "results": results, "peak": read_peak() - base, "index": sum(sizes.values())}


def time_steps(path: str, root: str) -> dict[str, float]:
    """Where the time goes: the seconds of each step for one list, what is written thrown away."""
    anchors = build_store(root)
    with map_path(Path(path)) as view:
        began = time.perf_counter()
        crl = read_crl(view)
        read = time.perf_counter()
        trusted = judge_crl(crl, anchors, CrlPolicy(), NOW, {})
        judged = time.perf_counter()
        if not isinstance(trusted, TrustedCrl):
            raise RuntimeError(f"the list was refused: {trusted}")
        build_segment(trusted, lambda _: None)
        built = time.perf_counter()
        del crl, trusted
    return {"read": read - began, "judge": judged - read, "index": built - judged}


def check_signature(path: str, root: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of the signature check and of SHA-256 over the whole file, in turn."""
    (anchor,) = build_store(root).anchors

    with map_path(Path(path)) as view:
        works = {"check": partial(_check, read_crl(view), anchor), "hash": partial(hashlib.sha256, view)}
        times = take_turns(works, rounds)
        del works
    return {name: samples.values for name, samples in times.items()}


def _check(crl: UnverifiedCrl, anchor: Anchor) -> None:
    found = judge_signed_view(crl.signature_oid, anchor.public_key, crl.signature, crl.signed_view)
    if found != "good":
        raise RuntimeError(found)
