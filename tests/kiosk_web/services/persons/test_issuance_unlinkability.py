"""A PPID tells a system nothing about the person and nothing that another system could compare.

The strongest form of it that can be tested: what is delivered is a function of fresh random bytes alone. Whoever the
people are and whatever their certificates say, the same bytes give the same PPIDs.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.identity.offer import Service, Words
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, TrustStore, judge_trust
from kiosk_web.services.persons.issuance import IssuanceService
from tests.support.jpki import NOW, build_root, issue
from tests.support.kiosk_server import build_settings

SYSTEMS = ("hall", "gym", "clinic")
NAME = Words("あ", "a")
SERVICES = {system: Service(system, system, "type1", NAME, NAME, "service") for system in SYSTEMS}
Visit = tuple[int, str]  # person, system


def trusted(serial: int) -> TrustedCertificate:
    root = build_root(2023)
    certificate = judge_trust(issue(root, serial=serial).parsed, TrustStore([root.anchor]), TrustPolicy(), NOW)
    assert isinstance(certificate, TrustedCertificate)
    return certificate


PEOPLE = [trusted(serial) for serial in (11, 12, 13)]
OTHER_PEOPLE = [trusted(serial) for serial in (7_000_001, 7_000_002, 7_000_003)]


def deliver(people: Sequence[TrustedCertificate], visits: Sequence[Visit], seed: int) -> tuple[list[str], list[str]]:
    """The PPIDs delivered at these visits, and every row that is stored for a system, as text."""

    async def run(folder: Path) -> tuple[list[str], list[str]]:
        store = SqlStore(build_settings(folder, build_root(2023)).data)
        issuance = IssuanceService(random.Random(seed).randbytes)
        try:
            async with store.write() as transaction:
                delivered = [
                    await issuance.issue_identifier(transaction, people[person], SERVICES[system], NOW)
                    for person, system in visits
                ]
                rows = await transaction.connection.execute(text("SELECT ppid, system, issued_at FROM pairwise_ids"))
                return delivered, sorted(str(tuple(row)) for row in rows)
        finally:
            await store.close()

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(run(Path(folder)))


VISITS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(SYSTEMS)), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None)
@given(VISITS, st.integers(0, 2**32))
def test_what_is_delivered_and_stored_depends_on_entropy_alone(visits: list[Visit], seed: int) -> None:
    assert deliver(PEOPLE, visits, seed) == deliver(OTHER_PEOPLE, visits, seed)


@settings(max_examples=25, deadline=None)
@given(VISITS, st.integers(0, 2**32))
def test_one_person_and_system_have_one_ppid_and_no_two_share_one(visits: list[Visit], seed: int) -> None:
    delivered, stored = deliver(PEOPLE, visits, seed)
    by_pair = dict(zip(visits, delivered, strict=True))
    assert [by_pair[visit] for visit in visits] == delivered
    assert len(set(by_pair.values())) == len(by_pair) == len(stored)
    # No piece of one is found in another, so two systems that lay theirs side by side learn nothing.
    pieces = [ppid[start : start + 8] for ppid in by_pair.values() for start in range(17)]
    assert len(set(pieces)) == len(pieces)


@settings(max_examples=10, deadline=None)
@given(VISITS, st.integers(0, 2**32))
def test_no_ppid_is_made_of_what_could_be_guessed(visits: list[Visit], seed: int) -> None:
    delivered, _ = deliver(PEOPLE, visits, seed)
    for (person, system), ppid in zip(visits, delivered, strict=True):
        certificate = PEOPLE[person]
        for guess in (str(certificate.serial), certificate.sha256.hex(), f"{system}{certificate.serial}"):
            for digest in (guess.encode(), hashlib.sha256(guess.encode()).digest()):
                assert digest.hex().upper()[:8] not in ppid
