"""The simulator's register before the product's own adapter: what the office does is what a verifier is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from cryptography import x509

from kiosk_web.adapters.register_http import HttpRegister
from kiosk_web.identity.persons import CertificateName
from kiosk_web.identity.standing import HolderStanding, derive_day
from kiosk_web.services.persons.register import Predecessor, RegisterSilent
from tests.kiosk_web.simulator.conftest import Running

T = TypeVar("T")
TODAY = derive_day(datetime.now(UTC))
YESTERDAY, LONG_AGO = TODAY - timedelta(days=1), TODAY - timedelta(days=100)


def name(running: Running, person: str) -> CertificateName:
    """The authentication certificate on the person's card now."""
    der = running.folder.joinpath(f"cards/{person}/auth-cert.der").read_bytes()
    certificate = x509.load_der_x509_certificate(der)
    key_id = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert key_id is not None
    return CertificateName(key_id, certificate.serial_number)


def command(running: Running, person: str, what: str, **body: str) -> None:
    running.tray.post(f"/people/{person}/{what}", json=body or None).raise_for_status()


def ask(running: Running, question: Callable[[HttpRegister], Awaitable[T]]) -> T:
    async def run() -> T:
        url = f"{running.ready.ocsp}services"
        async with HttpRegister(url, budget=5, clock=lambda: datetime.now(UTC)) as register:
            return await question(register)

    return asyncio.run(run())


def predecessor(running: Running, certificate: CertificateName) -> Predecessor | RegisterSilent:
    return ask(running, lambda register: register.find_predecessor(certificate.issuer_key_id, certificate.serial))


def standing(running: Running, person: str, since: date | None = LONG_AGO) -> HolderStanding:
    certificate = name(running, person)
    return ask(running, lambda register: register.fetch_standing(certificate.issuer_key_id, certificate.serial, since))


def test_a_renewal_is_known_and_a_new_card_replaces_none(running: Running) -> None:
    first = name(running, "midori")
    command(running, "midori", "renew")
    second = name(running, "midori")
    command(running, "midori", "renew")
    third = name(running, "midori")
    assert len({first, second, third}) == 3
    assert predecessor(running, third) == Predecessor(second)
    assert predecessor(running, second) == Predecessor(first)
    assert predecessor(running, first) == Predecessor(None)
    command(running, "midori", "issue")
    assert predecessor(running, name(running, "midori")) == Predecessor(None)
    assert predecessor(running, CertificateName(first.issuer_key_id, 1)) == RegisterSilent("unknown_certificate")
    assert predecessor(running, CertificateName(b"other", first.serial)) == RegisterSilent("unknown_certificate")


def test_who_moved_has_a_dead_signature_certificate_and_changed_items(running: Running) -> None:
    before = standing(running, "midori")
    assert (before.signature, before.items) == ("valid", "unchanged")
    command(running, "midori", "move", address="千葉県みほん市港町一丁目１番")
    after = standing(running, "midori")
    assert (after.signature, after.items, after.since, after.why) == ("revoked", "changed", LONG_AGO, "")
    assert after.as_of is not None
    assert standing(running, "midori", None).items == "unknown"
    assert standing(running, "nagisa", YESTERDAY).items == "unchanged"  # moved 20 days ago


def test_a_child_has_none_and_an_old_certificate_is_expired(running: Running) -> None:
    assert standing(running, "haruto").signature == "none_issued"
    assert standing(running, "ichiro").signature == "expired"
