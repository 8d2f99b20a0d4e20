"""The certificate on the card, and the time at which it is judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from kiosk_web.adapters.clock import read_clock
from kiosk_web.simulator.authority import draw_serial, issue_authentication_certificate
from kiosk_web.simulator.hierarchy import KeySupply, load_hierarchy
from kiosk_web.simulator.lifetimes import Lifetime
from kiosk_web.simulator.names import Kind
from kiosk_web.simulator.people import derive_people
from tests.e2e.refusals.stand import PERSON, Stand, Story


def begin_tomorrow(stand: Stand) -> None:
    """Issued as every other one, for a term that has not begun."""
    now = read_clock().replace(microsecond=0)
    authority = load_hierarchy(stand.demo.data / "simulator", KeySupply(), now).issuing(Kind.AUTHENTICATION, now)
    person = next(one for one in derive_people(now) if one.id == PERSON)
    key = load_pem_private_key((stand.card / "auth-key.pem").read_bytes(), None).public_key()
    term = Lifetime(now + timedelta(days=1), now + timedelta(days=1000))
    certificate = issue_authentication_certificate(authority, key, person, term, draw_serial())  # type: ignore[arg-type]  # RSA, as on every card
    (stand.card / "auth-cert.der").write_bytes(certificate.public_bytes(Encoding.DER))
    stand.put()


def garble_extension(stand: Stand) -> None:
    """Certificate enough for the bridge, which judges nothing, and a keyUsage that is none."""
    key: Any = load_pem_private_key((stand.card / "auth-key.pem").read_bytes(), None)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "JP")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), draw_serial(), now, now + timedelta(days=9))
    usage = x509.UnrecognizedExtension(x509.ExtensionOID.KEY_USAGE, b"\x04\x01\x00")
    certificate = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    (stand.card / "auth-cert.der").write_bytes(certificate.public_bytes(Encoding.DER))
    stand.put()


def lag_behind(stand: Stand) -> None:
    """An answer that was verified once is an hour younger than the server's clock."""
    ahead = (read_clock() + timedelta(hours=1)).replace(tzinfo=None).isoformat(" ")
    stand.write("INSERT INTO high_water_marks (key, this_update, held) VALUES (?, ?, 0)", b"ahead", ahead)
    try:
        stand.put()
        stand.kiosk.wait_for("refused")
    finally:
        stand.write("DELETE FROM high_water_marks WHERE key = ?", b"ahead")


STORIES: dict[str, Story] = {
    "certificate_malformed": garble_extension,
    "certificate_not_yet_valid": begin_tomorrow,
    "clock_unreliable": lag_behind,
}
