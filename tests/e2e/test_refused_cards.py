"""Cards whose files are not what they should be, as a resident meets them: each is refused by its own name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.kiosk_page import KioskPage
from tests.support.demo import RunningDemo

pytestmark = pytest.mark.e2e
PERSON, OTHER = "haruto", "midori"


@pytest.fixture
def card(demo: RunningDemo) -> Iterator[Path]:
    """The folder of a card; its files are put back afterwards."""
    folder = demo.data / "simulator" / "cards" / PERSON
    before = {path: path.read_bytes() for path in folder.iterdir()}
    yield folder
    for path, content in before.items():
        path.write_bytes(content)


def show_signature_certificate(card: Path) -> None:
    other = card.parent / OTHER
    (card / "auth-cert.der").write_bytes((other / "sign-cert.der").read_bytes())
    (card / "auth-key.pem").write_bytes((other / "sign-key.pem").read_bytes())


def forge_certificate(card: Path) -> None:
    der = bytearray((card / "auth-cert.der").read_bytes())
    der[-1] ^= 1
    (card / "auth-cert.der").write_bytes(bytes(der))


def copy_certificate(card: Path) -> None:
    """Another person's certificate with a key that is not its own."""
    (card / "auth-cert.der").write_bytes((card.parent / OTHER / "auth-cert.der").read_bytes())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (show_signature_certificate, "certificate_wrong_kind"),
        (forge_certificate, "certificate_untrusted"),
        (copy_certificate, "signature_mismatch"),
    ],
)
def test_a_card_that_cannot_be_trusted_is_refused_by_its_name(
    kiosk: KioskPage, demo: RunningDemo, card: Path, change: Callable[[Path], None], code: str
) -> None:
    pin = demo.person(PERSON).pin
    change(card)
    kiosk.open().choose()
    demo.put_card(PERSON)
    if code == "signature_mismatch":
        kiosk.wait_for("awaiting_pin").type_pin(pin)
    kiosk.wait_for("refused").wait_for_code(code)
    if code != "signature_mismatch":
        assert demo.tries_left(PERSON) == 3
