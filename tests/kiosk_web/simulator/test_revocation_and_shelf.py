"""The lists of the virtual JPKI, over HTTP into the product's own index: people are told apart by them as by OCSP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk_web.adapters.anchor_files import load_trust_store
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.list_marks import SqlListMarks
from kiosk_web.pki.crl_status import judge_crl_status
from kiosk_web.pki.crl_trust import CrlPolicy
from kiosk_web.pki.status import name_outcome
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, judge_trust_of_bytes
from kiosk_web.services.lists.refresh import SourceOutcome
from kiosk_web.settings.crl import CrlSettings, CrlSourceSettings
from kiosk_web.settings.server import Settings
from kiosk_web.wiring import crl_index
from tests.kiosk_web.simulator.conftest import Running
from tests.support.crl_stand import SilentWatcher


def read_clock() -> datetime:
    return datetime.now(UTC)


def build_settings(running: Running, folder: Path) -> Settings:
    """All lists of the authorities for user authentication, each as a source of its own."""
    lists = running.ocsp.get("/crl").json()["lists"]
    sources = tuple(
        CrlSourceSettings(
            name=entry["name"],
            kind="http",
            url=str(running.ocsp.base_url.join(entry["url"])),
            issuer_key_id=entry["authority_key_id"],
            point=entry["distribution_point"],
        )
        for entry in lists
        if entry["name"].startswith("authca")
    )
    return Settings(data=folder, anchors=running.ready.anchors, crl=CrlSettings(sources=sources))


def refresh(settings: Settings) -> tuple[SourceOutcome, ...]:
    return asyncio.run(crl_index.refresh_lists(settings, (), SilentWatcher(), clock=read_clock))


def judge_people(running: Running, settings: Settings) -> Mapping[str, str]:
    """The outcome of everybody whose card can be trusted, by list alone."""
    return asyncio.run(_judge_people(running, settings))


async def _judge_people(running: Running, settings: Settings) -> Mapping[str, str]:
    anchors, now = load_trust_store(running.ready.anchors, production=False), read_clock()
    shelf, store = crl_index.open_shelf(settings), SqlStore(settings.data)
    outcomes = {}
    try:
        for path in sorted(running.folder.glob("cards/*/auth-cert.der")):
            certificate = judge_trust_of_bytes(path.read_bytes(), anchors, TrustPolicy(), now)
            if isinstance(certificate, TrustedCertificate):
                findings = shelf.look_up(certificate)
                assert len(findings) == 2, "the list of the person's own town, and the one of the whole authority"
                marks = await SqlListMarks(store).load([finding.header.scope for finding in findings])
                status = judge_crl_status(
                    certificate, findings, CrlPolicy(), now, certificate_mark=None, list_marks=marks
                )
                outcomes[path.parent.name] = name_outcome(status)
    finally:
        await store.close()
    return outcomes


def test_people_are_told_apart_by_the_lists_of_their_towns(running: Running, tmp_path: Path) -> None:
    settings = build_settings(running, tmp_path / "data")
    assert {outcome.why for outcome in refresh(settings)} == {""}
    people = judge_people(running, settings)
    assert (people["midori"], people["sakura"], people["ken"]) == ("good", "revoked", "on_hold")
    assert set(people.values()) == {"good", "revoked", "on_hold"}


def test_lists_that_did_not_change_are_not_sent_again(running: Running, tmp_path: Path) -> None:
    settings = build_settings(running, tmp_path / "data")
    first = refresh(settings)
    again = refresh(settings)
    assert [dict(outcome.results) for outcome in first] == [{"taken": 1}] * len(settings.crl.sources)
    # The lists are renewed every quarter of an hour, maybe just now: then all of them are taken in.
    assert {tuple(outcome.results) for outcome in again} in ({("unchanged",)}, {("taken",)})
    assert crl_index.open_shelf(settings).generation == (1 if tuple(again[0].results) == ("unchanged",) else 2)


def test_a_certificate_that_is_revoked_is_in_the_next_list(running: Running, tmp_path: Path) -> None:
    settings = build_settings(running, tmp_path / "data")
    refresh(settings)
    assert judge_people(running, settings)["midori"] == "good"
    running.tray.post("/people/midori/revoke").raise_for_status()
    assert judge_people(running, settings)["midori"] == "good", "the old list is in force for its time"
    assert {outcome.why for outcome in refresh(settings)} == {""}
    assert judge_people(running, settings)["midori"] == "revoked"


def test_a_responder_that_is_down_leaves_the_lists_in_force(running: Running, tmp_path: Path) -> None:
    settings = build_settings(running, tmp_path / "data")
    refresh(settings)
    running.tray.put("/faults", json={"card": None, "ocsp": "refused"}).raise_for_status()
    try:
        assert {outcome.why for outcome in refresh(settings)} == {"refused"}
        assert judge_people(running, settings)["midori"] == "good"
    finally:
        running.tray.put("/faults", json={"card": None, "ocsp": None}).raise_for_status()
    assert {outcome.why for outcome in refresh(settings)} == {""}


@pytest.mark.parametrize("kind", ["issuer_key_id", "point"])
def test_a_list_under_the_address_of_another_is_not_taken(running: Running, tmp_path: Path, kind: str) -> None:
    settings = build_settings(running, tmp_path / "data")
    first = next(source for source in settings.crl.sources if source.point is not None)
    other = next(source for source in settings.crl.sources if getattr(source, kind) != getattr(first, kind))
    swapped = first.model_copy(update={"url": other.url})
    settings = settings.model_copy(update={"crl": CrlSettings(sources=(swapped,))})
    assert [outcome.why for outcome in refresh(settings)] == ["unexpected"]
    assert crl_index.open_shelf(settings).records() == ()
