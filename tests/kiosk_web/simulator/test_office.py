"""What the municipal office does to register and cards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from kiosk_web.simulator.cards import load_key
from kiosk_web.simulator.hierarchy import KeySupply
from kiosk_web.simulator.names import Kind
from kiosk_web.simulator.office import UnknownPerson
from kiosk_web.simulator.register import Entry, Linked, Reason, RegisterError, State
from kiosk_web.simulator.server import Simulator, open_simulator
from kiosk_web.simulator.settings import SimulatorSettings
from tests.support.simulator_folder import prepare_all


def current(simulator: Simulator, person: str, kind: Kind = Kind.AUTHENTICATION) -> Entry:
    entry = simulator.register.find_current(person, kind)
    assert entry is not None
    return entry


def card_serial(folder: Path, person: str, stem: str = "auth") -> int:
    return x509.load_der_x509_certificate((folder / f"cards/{person}/{stem}-cert.der").read_bytes()).serial_number


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted((folder / "cards").rglob("*")) if p.is_file()}


def test_renewal_links_old_to_new_and_supersedes_the_old(simulator: Simulator, folder: Path) -> None:
    old = current(simulator, "midori")
    new = simulator.office.renew("midori")
    assert new.serial != old.serial
    ended = simulator.register.find(old.authority, old.serial)
    assert ended is not None
    assert (ended.state, ended.reason, ended.current) == (State.REVOKED, Reason.SUPERSEDED, False)
    standing = simulator.register.judge_standing(ended, datetime.now(UTC))
    assert standing.renewed_to == (new.authority, new.serial)
    assert standing.signature_certificate is Linked.VALID
    assert card_serial(folder, "midori") == new.serial


def test_two_renewals_lead_to_the_newest(simulator: Simulator) -> None:
    first = current(simulator, "midori")
    simulator.office.renew("midori")
    newest = simulator.office.renew("midori")
    entry = simulator.register.find(first.authority, first.serial)
    assert entry is not None
    assert simulator.register.judge_standing(entry, datetime.now(UTC)).renewed_to == (newest.authority, newest.serial)


def test_key_and_certificate_on_a_card_belong_together_after_a_renewal(simulator: Simulator, folder: Path) -> None:
    simulator.office.renew("midori")
    for stem in ("auth", "sign"):
        certificate = x509.load_der_x509_certificate((folder / f"cards/midori/{stem}-cert.der").read_bytes())
        assert certificate.public_key() == load_key(folder / f"cards/midori/{stem}-key.pem").public_key()
        ca = x509.load_der_x509_certificate((folder / f"cards/midori/{stem}-ca.der").read_bytes())
        certificate.verify_directly_issued_by(ca)


def test_a_new_card_has_new_keys_and_no_link_from_the_old(simulator: Simulator, folder: Path) -> None:
    old, surface = current(simulator, "midori"), (folder / "cards/midori/surface-key.pem").read_bytes()
    new = simulator.office.issue("midori")
    ended = simulator.register.find(old.authority, old.serial)
    assert ended is not None
    assert (ended.state, ended.next) == (State.REVOKED, None)
    assert (folder / "cards/midori/surface-key.pem").read_bytes() != surface
    assert card_serial(folder, "midori") == new.serial


def test_a_card_is_lifted_before_its_keys_change_and_stays_for_the_rest(simulator: Simulator) -> None:
    simulator.office.cards.place("midori")
    simulator.office.hold("midori")
    simulator.office.renew("taro")
    assert simulator.office.cards.load_placed() == "midori"
    simulator.office.renew("midori")
    assert simulator.office.cards.load_placed() is None


def test_revocation_ends_both_certificates_for_good(simulator: Simulator) -> None:
    simulator.office.revoke("midori", Reason.AFFILIATION_CHANGED)
    for kind in Kind:
        assert current(simulator, "midori", kind).reason is Reason.AFFILIATION_CHANGED
    for command in (simulator.office.revoke, simulator.office.hold, simulator.office.release):
        with pytest.raises(RegisterError):
            command("midori")
    assert current(simulator, "midori").state is State.REVOKED


def test_a_hold_is_lifted_by_release(simulator: Simulator) -> None:
    held = simulator.office.hold("midori")
    assert (held.state, held.reason) == (State.ON_HOLD, Reason.CERTIFICATE_HOLD)
    released = simulator.office.release("midori")
    assert (released.state, released.reason) == (State.GOOD, None)
    with pytest.raises(RegisterError, match="not on hold"):
        simulator.office.release("midori")


def test_a_hold_is_no_reason_of_a_revocation(simulator: Simulator) -> None:
    with pytest.raises(RegisterError, match="use hold"):
        simulator.office.revoke("midori", Reason.CERTIFICATE_HOLD)


def test_a_move_ends_the_signature_certificate_alone_and_changes_the_items(simulator: Simulator, folder: Path) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    entry = simulator.office.move("midori", "東京都架空市新町九丁目９番９号")
    assert entry.state is State.GOOD
    standing = simulator.register.judge_standing(entry, datetime.now(UTC))
    assert standing.signature_certificate is Linked.REVOKED
    assert standing.items_changed_at is not None
    assert standing.items_changed_at > before
    assert current(simulator, "midori", Kind.SIGNATURE).reason is Reason.AFFILIATION_CHANGED
    assert (
        json.loads((folder / "cards/midori/text.json").read_text("utf-8"))["address"]
        == "東京都架空市新町九丁目９番９号"
    )
    assert simulator.office.find_person("midori").address == "東京都架空市新町九丁目９番９号"


@pytest.mark.parametrize(
    ("person", "signature", "changed", "renewed"),
    [
        ("midori", Linked.VALID, False, False),
        ("haruto", Linked.NONE_ISSUED, False, False),
        ("ichiro", Linked.EXPIRED, False, False),
        ("sakura", Linked.REVOKED, False, False),
        ("nagisa", Linked.REVOKED, True, False),
    ],
)
def test_the_register_knows_the_signature_certificate_and_changed_items(
    simulator: Simulator, person: str, signature: Linked, changed: bool, renewed: bool
) -> None:
    standing = simulator.register.judge_standing(current(simulator, person), datetime.now(UTC))
    assert standing.signature_certificate is signature
    assert (standing.items_changed_at is not None) is changed
    assert (standing.renewed_to is not None) is renewed


def test_the_renewed_person_has_an_older_certificate_that_leads_to_the_card(simulator: Simulator, folder: Path) -> None:
    now = datetime.now(UTC)
    lists = [simulator.register.load_listed(a, None, now - timedelta(days=3000)) for a in ("authca02", "authca03")]
    (old,) = [entry for entries in lists for entry in entries if entry.person == "kyoko"]
    assert old.reason is Reason.SUPERSEDED
    renewed = simulator.register.judge_standing(old, now).renewed_to
    assert renewed is not None
    assert renewed[1] == card_serial(folder, "kyoko")


def test_restore_brings_everybody_back_and_is_idle_when_nothing_changed(simulator: Simulator, folder: Path) -> None:
    before = files(folder)
    simulator.office.restore()
    assert files(folder) == before
    simulator.office.hold("midori")
    simulator.office.release("ken")
    simulator.office.move("taro", "群馬県見本町１番地")
    simulator.office.revoke("nagisa")
    simulator.office.renew("sakura")
    for person in ("midori", "aoi"):
        (folder / f"cards/{person}/counters.json").write_text('{"version": 1, "auth_pin": 2}')
    simulator.office.faults.choose_card("mute")
    simulator.office.faults.choose_ocsp("stale")
    simulator.office.write_descriptions()
    simulator.office.cards.place("taro")
    simulator.office.restore()
    after = files(folder)
    assert after.keys() == before.keys()  # no counters.json
    unchanged = [name for name in before if before[name] == after[name]]
    assert {name.split("/")[1] for name in before.keys() - set(unchanged)} == {"taro", "nagisa", "sakura"}
    assert all(before[n] == after[n] for n in before if n.endswith(".json"))
    assert (simulator.office.faults.card, simulator.office.faults.ocsp) == (None, None)
    assert simulator.office.cards.load_placed() is None
    conditions = {p.id: simulator.office.judge_certificate(p) for p in simulator.office.people}
    assert conditions["midori"] == conditions["nagisa"] == "good"
    assert conditions["taro"] == "expiring"
    assert (conditions["sakura"], conditions["ken"], conditions["ichiro"]) == ("revoked", "on_hold", "expired")


def test_a_revoked_certificate_never_becomes_good_again_by_restore(simulator: Simulator) -> None:
    revoked = simulator.office.revoke("midori")
    simulator.office.restore()
    entry = simulator.register.find(revoked.authority, revoked.serial)
    assert entry is not None
    assert entry.state is State.REVOKED
    assert current(simulator, "midori").serial != revoked.serial
    assert current(simulator, "midori").state is State.GOOD


def test_a_failed_command_changes_nothing(simulator: Simulator, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, entry = files(folder), current(simulator, "midori")

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(simulator.office.cards, "write_credentials", fail)
    with pytest.raises(OSError, match="No space left"):
        simulator.office.renew("midori")
    assert current(simulator, "midori") == entry
    assert files(folder) == before


def test_unknown_people_and_foreign_cards_are_refused_by_name(simulator: Simulator) -> None:
    with pytest.raises(UnknownPerson, match="midori") as error:
        simulator.office.renew("nobody")
    assert "sentinel" not in str(error.value)
    with pytest.raises(RegisterError, match="not a My Number Card"):
        simulator.office.renew("library-card")


def test_a_damaged_card_folder_is_mended_at_the_next_start(simulator: Simulator, folder: Path) -> None:
    (folder / "cards/midori/auth-cert.der").write_bytes(b"\x30\x82\x06\x25")
    (folder / "cards/haruto/auth-key.pem").unlink()
    prepare_all(simulator)
    for person in ("midori", "haruto"):
        assert card_serial(folder, person) == current(simulator, person).serial
    assert not (folder / "cards/haruto/sign-cert.der").exists()


class RecycledKeys(KeySupply):
    """Few keys for many: the first ten, of authorities and signers, are different ones."""

    def __init__(self, keys: Iterator[rsa.RSAPrivateKey]) -> None:
        super().__init__()
        self._keys = keys

    def stock(self, count: int) -> None:
        """Nothing is made ahead."""

    def take(self) -> rsa.RSAPrivateKey:
        return next(self._keys)


@pytest.fixture(scope="module")
def few_keys() -> list[rsa.RSAPrivateKey]:
    supply = KeySupply()
    supply.stock(10)
    return [supply.take() for _ in range(10)]


@pytest.mark.parametrize(
    "day", ["2026-01-01", "2026-07-16", "2026-12-31", "2028-02-29", "2029-03-01", "2031-06-08", "2040-10-19"]
)
def test_on_any_day_everybody_is_as_listed(tmp_path: Path, few_keys: list[rsa.RSAPrivateKey], day: str) -> None:
    now = datetime.fromisoformat(f"{day}T03:00:00+00:00")
    simulator = open_simulator(SimulatorSettings(tmp_path), lambda: now, RecycledKeys(cycle(few_keys)))
    prepare_all(simulator)
    found = {p.id: simulator.office.judge_certificate(p) for p in simulator.office.people}
    wanted = {"taro": "expiring", "ichiro": "expired", "sakura": "revoked", "ken": "on_hold"}
    assert found == {p: wanted.get(p, "good") for p in found}
    authorities = {p.id: current(simulator, p.id).authority for p in simulator.office.people}
    assert (authorities["midori"], authorities["saburo"], authorities["taro"]) == ("authca03", "authca02", "authca02")
    for person in simulator.office.people:
        entry = current(simulator, person.id)
        assert simulator.hierarchy.authorities[entry.authority].lifetime.covers(entry.not_after)
    simulator.register.close()


def test_a_folder_of_last_year_is_brought_up_to_date(tmp_path: Path, few_keys: list[rsa.RSAPrivateKey]) -> None:
    clock = [datetime(2026, 11, 23, 3, tzinfo=UTC)]
    serials = []
    for day in (datetime(2026, 11, 23, 3, tzinfo=UTC), datetime(2027, 12, 30, 3, tzinfo=UTC)):
        clock[0] = day
        simulator = open_simulator(SimulatorSettings(tmp_path), lambda: clock[0], RecycledKeys(cycle(few_keys)))
        prepare_all(simulator)
        serials.append({p.id: current(simulator, p.id).serial for p in simulator.office.people})
        found = {p.id: simulator.office.judge_certificate(p) for p in simulator.office.people}
        assert (found["taro"], found["saburo"], found["midori"]) == ("expiring", "good", "good")
        assert all(s.certificate.not_valid_after_utc > day for s in simulator.hierarchy.signers.values())
        simulator.register.close()
    assert serials[0]["midori"] == serials[1]["midori"]  # still good: it stays
    assert serials[0]["taro"] != serials[1]["taro"]
