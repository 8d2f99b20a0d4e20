"""What the simulator writes is what the virtual card reads: every person, every fault, the reader, the tries left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bridge.card.surface import parse_age_record
from bridge.virtual.files import SURFACE, DataFile, build_applications
from bridge.virtual.profile import MOMENTS, SECRETS, load_object, load_profile, parse_placed
from kiosk_web.pki.card_issuer import judge_surface_key
from kiosk_web.simulator.faults import CARD_FAULTS
from kiosk_web.simulator.server import Simulator, open_simulator
from kiosk_web.simulator.settings import SimulatorSettings


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    opened = open_simulator(SimulatorSettings(tmp_path_factory.mktemp("simulator")))
    for person in opened.office.people:
        opened.office.prepare(person)
    yield opened
    opened.register.close()


@pytest.fixture
def folder(simulator: Simulator) -> Iterator[Path]:
    yield simulator.folder
    simulator.office.restore()


def test_every_card_is_read_with_what_its_person_has(simulator: Simulator, folder: Path) -> None:
    for person in simulator.office.people:
        profile = load_profile(folder / "cards" / person.id)
        pin = profile.secrets["auth_pin"]
        assert pin is not None
        assert (pin.value, pin.left) == (person.pin or "0000", person.tries_left)
        assert (profile.secrets["sign_pin"] is None) is (person.sign_pin is None)
        assert ("sign-cert.der" in profile.files) is (person.sign_pin is not None)
        assert (profile.label, profile.text.name) == (person.label, person.name)
        assert profile.switches.foreign is person.foreign
        assert set(profile.secrets) == set(SECRETS)


@pytest.mark.parametrize("name", CARD_FAULTS)
def test_every_fault_is_a_switch_or_a_time_that_the_card_knows(simulator: Simulator, folder: Path, name: str) -> None:
    sound = load_profile(folder / "cards/midori")
    simulator.office.faults.choose_card(name)
    simulator.office.write_descriptions()
    for person in simulator.office.people:
        load_profile(folder / "cards" / person.id)
    faulty = load_profile(folder / "cards/midori")
    differs = (faulty.switches, faulty.exchange_ms, faulty.sign_ms) != (
        sound.switches,
        sound.exchange_ms,
        sound.sign_ms,
    )
    assert differs
    if faulty.switches.swap_on is not None:
        other = load_profile(folder / faulty.switches.swap_on.profile)
        assert faulty.switches.swap_on.when in MOMENTS
        assert other.atr == faulty.atr
        assert other.files["auth-cert.der"] != faulty.files["auth-cert.der"]


def test_the_reader_file_is_read_as_it_was_meant(simulator: Simulator, folder: Path) -> None:
    seen = []
    for step in (lambda: simulator.office.cards.place("sentinel"), simulator.office.cards.lift):
        step()
        seen.append(parse_placed(load_object(folder / "reader.json")))
    (first, placed), (second, lifted) = seen
    assert second > first
    assert (placed, lifted) == ("cards/sentinel", None)


def test_the_tries_a_card_wrote_are_the_ones_the_tray_shows(simulator: Simulator, folder: Path) -> None:
    person = simulator.office.find_person("midori")
    counters = {"version": 1, **dict.fromkeys(SECRETS, 5), "auth_pin": 2}
    (folder / "cards/midori/counters.json").write_text(json.dumps(counters))
    assert simulator.office.cards.load_tries_left(person) == 2


def test_the_card_has_the_record_and_the_certificate_of_its_virtual_issuer(simulator: Simulator, folder: Path) -> None:
    (public,) = (folder / "card-issuers").iterdir()
    key = load_pem_public_key(public.read_bytes())
    assert isinstance(key, RSAPublicKey)
    for person in simulator.office.people:
        profile = load_profile(folder / "cards" / person.id)
        if person.foreign:
            continue
        surface = build_applications(profile)[SURFACE]
        record, certificate = surface.files[0x01], surface.files[0x04]
        assert isinstance(record, DataFile)
        assert isinstance(certificate, DataFile)
        found = judge_surface_key(record.content, certificate.content, {bytes.fromhex(public.stem): key})
        assert found is not None
        assert surface.default_key is not None
        assert found.public_numbers() == surface.default_key.key.public_key().public_numbers()
        assert parse_age_record(record.content).birth == f"{person.birth:%Y%m%d}"
        birth_key = profile.secrets["birth_key"]
        assert birth_key is not None
        assert (birth_key.left, len(birth_key.value)) == (10, 6)
