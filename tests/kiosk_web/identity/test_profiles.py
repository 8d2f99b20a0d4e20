"""The table of profiles is whole: 14 rows, three columns, 42 cells."""

from __future__ import annotations

from dataclasses import fields

import pytest

from kiosk_web.identity.offer import Offer, Service, Words
from kiosk_web.identity.profiles import PROFILES, Profile


def test_the_table_has_42_cells() -> None:
    rows = [field.name for field in fields(Profile) if field.name != "name"]
    assert len(rows) * len(PROFILES) == 42


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
