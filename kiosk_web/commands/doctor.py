"""`kiosk doctor`: what this installation trusts, and what an operator should mend, in plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from kiosk_web.adapters.anchor_files import (
    AnchorFileRefused,
    load_anchors,
    load_packaged_anchors,
    load_published_roots,
    read_fingerprints,
)
from kiosk_web.adapters.card_issuer_files import derive_key_fingerprint, is_virtual, load_card_issuers
from kiosk_web.adapters.clock_state import ClockState
from kiosk_web.errors import INTRODUCTION_REFUSALS
from kiosk_web.identity.introduction import IN_USE
from kiosk_web.pki.anchors import Anchor, AnchorFinding, PublishedRoot, find_published, judge_anchors
from kiosk_web.pki.ocsp import ResponderPin
from kiosk_web.services.introductions import IntroductionView
from kiosk_web.settings.kazashi import KazashiSettings

_JST = timedelta(hours=9)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Lines to print, and whether residents can be served as things are."""

    lines: tuple[str, ...]
    healthy: bool


def examine_anchors(
    folder: Path | None, *, production: bool, confirmed_fingerprints: Iterable[str], now: datetime
) -> Diagnosis:
    """Look at the anchors that `kiosk serve` would use. A file that is no anchor is a finding, not an exception."""
    published = load_published_roots()
    try:
        confirmed = read_fingerprints(confirmed_fingerprints)
        anchors = load_anchors(folder) if folder is not None else ()
    except AnchorFileRefused as error:
        return Diagnosis((f"error: {error}",), healthy=False)
    if production or folder is None:
        anchors += load_packaged_anchors()
    anchors = tuple({anchor.sha256: anchor for anchor in reversed(anchors)}.values())[::-1]  # those of both places once
    findings = judge_anchors(anchors, published, now, production=production, confirmed=confirmed)
    lines = [line for anchor in anchors for line in _describe(anchor, find_published(anchor, published, confirmed))]
    return Diagnosis((*lines, *_name(findings)), healthy=all(finding.level != "error" for finding in findings))


def examine_clock(state: ClockState, *, required: bool) -> Diagnosis:
    """What is known of the clock, and what follows from it. Nobody is confirmed by a clock that nothing keeps right."""
    match state:
        case "synchronised":
            return Diagnosis(("clock: synchronised",), healthy=True)
        case "unsynchronised" if required:
            text = "error: the clock is not synchronised: start a time service (chrony); until then nobody is confirmed"
            return Diagnosis((text,), healthy=False)
        case "unsynchronised":
            return Diagnosis(("warning: the clock is not synchronised; this installation does not require it",), True)
        case "unknown":
            text = "warning: this system does not say whether its clock is synchronised: see to it yourself"
            return Diagnosis((text,), healthy=True)


def examine_pins(pins: Iterable[ResponderPin]) -> Diagnosis:
    """Responders that are believed against the rules: each is a risk that somebody took."""
    lines = tuple(
        f"warning: the responder's key {pin.key_sha256.hex()[:16]}… is pinned for issuer key "
        f"{issuer.hex(':').upper()}: its certificate is not held to rule 3 (docs/validation.md)"
        for pin in pins
        for issuer in sorted(pin.issuer_key_ids)
    )
    return Diagnosis(lines, healthy=True)


def examine_kazashi(settings: KazashiSettings, *, production: bool) -> Diagnosis:
    """Whether there are taps without a 暗証番号 here, by name, and who certifies the cards that may be enrolled."""
    if not settings.is_permitted(production=production):
        text = "kazashi: off, since kazashi.legal_basis is empty (docs/kazashi.md); everybody is asked for the 暗証番号"
        return Diagnosis((text,), healthy=True)
    basis = settings.legal_basis.strip() or "none is needed in a demo"
    try:
        issuers = load_card_issuers(
            settings.card_issuers, production=production, confirmed_fingerprints=settings.confirmed_fingerprints
        )
    except AnchorFileRefused as error:
        return Diagnosis((f"error: kazashi.card_issuers: {error}",), healthy=False)
    lines = [f"kazashi: on; legal basis: {basis}"]
    for key_id, key in issuers.items():
        origin = " (virtual)" if is_virtual(key_id) else ""
        lines.append(f"    card issuer key {key_id.hex()}{origin}, SHA-256 {derive_key_fingerprint(key).hex()}")
    if not issuers:
        lines.append("warning: kazashi.card_issuers names no key, so nobody can be enrolled")
    return Diagnosis(tuple(lines), healthy=True)


def examine_introductions(views: Iterable[IntroductionView] | None) -> Diagnosis:
    """Which systems are not offered to residents, and which are though something is missing. None: no database."""
    if views is None:
        return Diagnosis(
            ("warning: the database is not there or not up to date (kiosk migrate): no stages known",), True
        )
    lines: list[str] = []
    for view in views:
        system, stage = view.system.id, view.introduction.stage
        if stage not in IN_USE:
            lines.append(f"warning: {system} is at the stage {stage}: its services are not offered, its API is refused")
        elif view.missing is not None:
            lines.append(f"warning: {system} is {stage}, and {view.missing}: {INTRODUCTION_REFUSALS[view.missing]}")
        else:
            lines.append(f"system: {system} is {stage}")
    return Diagnosis(tuple(lines), healthy=True)


def _describe(anchor: Anchor, root: PublishedRoot | None) -> Iterator[str]:
    begin, end = anchor.not_before + _JST, anchor.not_after + _JST
    origin = f"published by JPKI as {root.label}" if root else "not a published JPKI root"
    yield f"{anchor.label}: {anchor.authority.replace('_', ' ')} CA, generation {anchor.generation}, {origin}"
    yield f"    valid    {begin:%Y-%m-%d} to {end:%Y-%m-%d} (Japan)"
    yield f"    SHA-256  {anchor.fingerprint}"
    yield f"    key      {anchor.key_id.hex(':').upper()}"


def _name(findings: Iterable[AnchorFinding]) -> Iterator[str]:
    for finding in findings:
        yield f"{finding.level}: {finding.text}"
