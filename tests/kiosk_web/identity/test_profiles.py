"""The table of profiles is whole: 14 rows, three columns, 42 cells."""

from __future__ import annotations

from dataclasses import fields

import pytest

from kiosk_web.identity.offer import Offer, Service, Words
from kiosk_web.identity.profiles import PROFILES, Profile

TABLE: dict[str, tuple[object, object, object]] = {
    "scene": ("municipal_library", "mainly_face_to_face", "any"),
    "usable_online": (False, True, True),
    "ppid_per_system": (False, True, True),
    "kazashi": (True, True, False),
    "system_unmodified": (True, False, False),
    "reading_screen": (True, True, False),
    "basic_four": (False, True, False),
    "signature_certificate_read": (False, False, False),
    "authentication_certificate_validated": (True, True, True),
    "ocsp": (True, True, True),
    "crl": ("valid_mykey_id_only", "responder_out_of_service_only", "yes"),
    "linked_signature_state": (False, True, True),
    "link_kept_by": ("platform", "municipal_system_or_platform", "municipal_system_or_platform"),
    "terminal_os": ("any", "any", "any"),
}
"""The Digital Agency's, written down a second time: library, Type 1, Type 2."""


def test_the_table_has_42_cells_and_each_is_the_agencys() -> None:
    rows = [field.name for field in fields(Profile) if field.name != "name"]
    assert len(rows) * len(PROFILES) == 42
    assert list(PROFILES) == ["library", "type1", "type2"]
    ours = {row: tuple(getattr(profile, row) for profile in PROFILES.values()) for row in rows}
    assert ours == TABLE


def test_only_the_library_gets_a_mykey_id() -> None:
    kinds = {name: profile.identifier_kind for name, profile in PROFILES.items()}
    assert kinds == {"library": "mykey_id", "type1": "ppid", "type2": "ppid"}


def test_every_profile_validates_and_none_reads_the_signature_certificate() -> None:
    assert all(profile.authentication_certificate_validated and profile.ocsp for profile in PROFILES.values())
    assert not any(profile.signature_certificate_read for profile in PROFILES.values())


def test_two_services_with_one_id_are_refused() -> None:
    service = Service("a", "b", "type1", Words("あ", "a"), Words("あ", "a"), "library")
    with pytest.raises(ValueError, match="same id"):
        Offer((service, service))
