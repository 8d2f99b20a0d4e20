"""Settings: every mistake is named with its place; production refuses what only a demo may have."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from kiosk_web.errors import SettingsError
from kiosk_web.pki.circuit import CircuitPolicy
from kiosk_web.pki.ocsp import ResponderPin
from kiosk_web.settings.server import Settings, load_settings
from kiosk_web.wiring.ocsp import build_circuit_policy, build_responder_policy
from kiosk_web.wiring.world import load_anchors
from tests.support.jpki import build_root
from tests.support.kiosk_server import build_settings


def test_the_demo_offers_one_service_of_each_profile() -> None:
    services = load_settings({}, {}).build_offer().services
    assert [service.profile for service in services] == ["type1", "library", "type2"]


def test_the_settings_file_of_the_guide_starts_a_production_server(tmp_path: Path) -> None:
    guide = Path(__file__).parents[3] / "docs/install.md"
    file = tmp_path / "kiosk.toml"
    file.write_text(guide.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    settings = load_settings({"deployment": "production"}, {"KIOSK_CONFIG": str(file)})
    assert [(service.id, service.profile) for service in settings.build_offer().services] == [("library", "library")]


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text("port = 1\nstaff_port = 2\nbridge_port = 3\n")
    environment = {"KIOSK_CONFIG": str(file), "KIOSK_STAFF_PORT": "20", "KIOSK_BRIDGE_PORT": "30", "HOME": "x"}
    settings = load_settings({"bridge_port": 300, "data": None}, environment)
    assert (settings.port, settings.staff_port, settings.bridge_port) == (1, 20, 300)
    assert settings.bridge_address == "ws://127.0.0.1:300/card"


@pytest.mark.parametrize(
    ("given", "environment", "words"),
    [
        ({}, {"KIOSK_PROT": "1"}, "KIOSK_PROT: there is no such setting"),
        ({"port": 70000}, {}, "--port: "),
        ({}, {"KIOSK_PORT": "many"}, "KIOSK_PORT: "),
        ({"deployment": "staging"}, {}, "--deployment: "),
        ({}, {"KIOSK_HOST": "0.0.0.0"}, "127.0.0.1 only"),
        ({"ocsp_url": "ftp://x"}, {}, "--ocsp-url: "),
        ({"deployment": "production"}, {"KIOSK_ALLOW_TEST_ARC": "true"}, "refuses certificates of the test arc"),
        ({"deployment": "production"}, {"KIOSK_DESK_ORIGIN": "http://127.0.0.1:8485"}, "desk_origin: "),
        ({}, {"KIOSK_DESK_ORIGIN": "http://127.0.0.1:8485 https://evil.example"}, "http://127.0.0.1: and a port"),
        ({}, {"KIOSK_DESK_ORIGIN": "http://localhost:8485"}, "http://127.0.0.1: and a port"),
        ({"deployment": "production"}, {"KIOSK_STAFF_HOST": "0.0.0.0"}, "staff_host: "),
        ({"deployment": "production"}, {"KIOSK_STAFF_HOST": "192.0.2.1"}, "staff_host: "),
        ({}, {"KIOSK_CONFIG": "/nowhere/kiosk.toml"}, "/nowhere/kiosk.toml: "),
    ],
)
def test_a_mistake_is_named_with_its_place(given: dict[str, object], environment: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings(given, environment)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[fallback]\nwindows = ["always"]\n', "fallback.windows: 'always': write Sun 01:00-05:00"),
        ("[fallback]\nfailures = 1\n", "fallback.failures: 0 (off) or at least 3"),
        ("[fallback]\nmaximum_hours = 100\n", "fallback.maximum_hours: "),
        ("[fallback]\nopen = true\n", "fallback.open: "),
        ("ocsp_max_age_minutes = 0\n", "ocsp_max_age_minutes: "),
        ('status_policy = "crl"\nprofile = "type1"\n', "lists alone may confirm for type2 only"),
        ('status_policy = "crl"\nprofile = "library"\n', "lists alone may confirm for type2 only"),
        ('status_policy = "good"\nprofile = "type1"\n', "status_policy: "),
        ('kazashi_in_window = true\nprofile = "type2"\n', "there is no kazashi in type2"),
    ],
)
def test_a_mistake_about_confirmation_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "kiosk.toml"
    if "profile" in text:
        words_of = 'name = { ja = "a", en = "a" }\ndescription = { ja = "a", en = "a" }\n'
        text = f'[[services]]\nid = "a"\nsystem = "a"\n{words_of}{text}'
    file.write_text(text)
    with pytest.raises(SettingsError) as refusal:
        load_settings({}, {"KIOSK_CONFIG": str(file)})
    assert words in str(refusal.value)


def test_each_profile_has_its_own_way_of_confirming() -> None:
    services = load_settings({}, {}).build_offer().services
    assert {service.profile: service.status_policy for service in services} == {
        "type1": "ocsp-then-crl",
        "library": "ocsp-then-crl",
        "type2": "ocsp",
    }
    assert not any(service.kazashi_in_window for service in services)


def test_production_requires_a_synchronised_clock_and_a_demo_does_not() -> None:
    assert not load_settings({}, {}).needs_synchronised_clock
    assert load_settings({"deployment": "production"}, {}).needs_synchronised_clock
    unsure = {"KIOSK_REQUIRE_SYNCHRONISED_CLOCK": "false"}
    assert not load_settings({"deployment": "production"}, unsure).needs_synchronised_clock


def test_an_unknown_key_in_the_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text("prot = 1\n")
    with pytest.raises(SettingsError, match=r"kiosk\.toml: prot: there is no such setting"):
        load_settings({}, {"KIOSK_CONFIG": str(file)})


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text("port = \n")
    with pytest.raises(SettingsError, match=r"kiosk\.toml: .*line 1"):
        load_settings({}, {"KIOSK_CONFIG": str(file)})


def test_production_refuses_an_anchor_that_jpki_has_not_published(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, build_root(2023), deployment="production")
    with pytest.raises(SettingsError, match="not on the list of published JPKI roots"):
        load_anchors(settings)


def test_production_has_the_published_anchors() -> None:
    settings = load_settings({"deployment": "production"}, {})
    assert load_anchors(settings).anchors
    assert not settings.demo


SOURCE = """
[[crl.sources]]
name = "town"
kind = "http"
url = "http://127.0.0.1:8483/crl/authca03.crl"
"""


def load_toml(folder: Path, text: str) -> Settings:
    file = folder / "kiosk.toml"
    file.write_text(text)
    return load_settings({}, {"KIOSK_CONFIG": str(file)})


def test_sources_of_lists_are_tables_of_the_file(tmp_path: Path) -> None:
    source = load_toml(tmp_path, SOURCE + 'issuer_key_id = "8C:D5:58"\n').crl.sources[0]
    assert (source.name, source.kind, source.interval_minutes) == ("town", "http", 60)
    assert source.issuer_key_id == "8c:d5:58"
    assert load_settings({}, {}).crl.sources == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SOURCE.replace("http://127.0.0.1:8483", "ldap://127.0.0.1"), "crl.sources.0.url: must begin with http://"),
        (SOURCE.replace('"http"', '"ftp"'), "crl.sources.0.kind: "),
        (SOURCE + 'path = "lists"\n', "town: a source of kind http has a url and no path"),
        (SOURCE.replace('"http"', '"directory"'), "town: a source of kind directory has a path and no url"),
        (SOURCE + SOURCE, "crl: sources: two have the same name"),
        (SOURCE + "interval_minutes = 0\n", "crl.sources.0.interval_minutes: "),
        (SOURCE + 'issuer_key_id = "authca"\n', "crl.sources.0.issuer_key_id: "),
        (SOURCE + "colour = 1\n", "crl.sources.0.colour: "),
        ("[crl]\nalarm_hours = -1\n", "crl.alarm_hours: "),
    ],
)
def test_a_source_that_cannot_be_is_named_with_its_place(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_toml(tmp_path, text)
    assert reason in str(refusal.value)
    assert "kiosk.toml" in str(refusal.value)


PIN = f"""
[[ocsp_pins]]
key_sha256 = "{":".join(["AB"] * 32)}"
issuer_key_ids = ["1A:C1:00", "8cd558"]
"""


def read_file(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "kiosk.toml"
    file.write_text(text)
    return load_settings({}, {"KIOSK_CONFIG": str(file)})


def test_how_the_responder_is_asked_and_believed_is_set(tmp_path: Path) -> None:
    plain = build_responder_policy(read_file(tmp_path, ""))
    assert (plain.pins, plain.hash_algorithm, plain.nonce) == ((), "sha1", "required")
    settings = read_file(tmp_path, 'ocsp_hash = "sha256"\nocsp_circuit_failures = 2\nocsp_circuit_seconds = 7\n' + PIN)
    policy = build_responder_policy(settings)
    assert policy.hash_algorithm == "sha256"
    assert policy.pins == (
        ResponderPin(b"\xab" * 32, frozenset({b"\x1a\xc1\x00", b"\x8c\xd5\x58"}), ocsp_signing=True),
    )
    assert build_circuit_policy(settings) == CircuitPolicy(2, timedelta(seconds=7))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ocsp_cache_seconds = 61", "ocsp_cache_seconds"),
        ("ocsp_circuit_failures = 0", "ocsp_circuit_failures"),
        ('ocsp_hash = "md5"', "ocsp_hash"),
        (PIN.replace("AB:", "", 1), "ocsp_pins.0.key_sha256"),
        (PIN.replace("8cd558", "8cd55"), "ocsp_pins.0.issuer_key_ids.1"),
        (PIN.replace("issuer_key_ids", "issuers"), "ocsp_pins.0"),
    ],
    ids=["a cache for minutes", "no failure at all", "another hash", "a short hash", "half an octet", "unknown key"],
)
def test_a_mistake_about_the_responder_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        read_file(tmp_path, text)


def test_the_register_and_production_need_the_verifiers_roles() -> None:
    url = {"url": "https://register.invalid"}
    one = {"user_authentication": "みほん市"}
    both = {**one, "signature": "みほん市"}
    for verifier in ({}, one, {"signature": "x"}, {**one, "signature": " "}):
        with pytest.raises(SettingsError, match="register_service: verifier must name both roles"):
            load_settings({"register_service": url, "verifier": verifier}, {})
    assert load_settings({"register_service": url, "verifier": both}, {}).register_service.url == url["url"]
    plain = {"register_service": {"url": "http://register.invalid"}, "verifier": both}
    assert load_settings(plain, {}).register_service.url == "http://register.invalid"  # a demo's
    with pytest.raises(SettingsError, match="register_service: its answers are not signed"):
        load_settings({**plain, "deployment": "production"}, {})
    load_settings({**plain, "register_service": url, "deployment": "production"}, {})
    load_settings({}, {}).require_verifier()
    for verifier, missing in (({}, "user_authentication"), (one, "signature: facility")):
        with pytest.raises(SettingsError, match=f"verifier.{missing}"):
            load_settings({"deployment": "production", "verifier": verifier}, {}).require_verifier()
    load_settings({"deployment": "production", "verifier": both}, {}).require_verifier()
