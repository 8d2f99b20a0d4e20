"""The three profiles of the Digital Agency's table (市民カード化構想), cell by cell, as data. PURE.

Each field is one row of the table; its number is in the comment. `tests/test_profiles_walk.py` walks all 42 cells in
the running product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ProfileName = Literal["library", "type1", "type2"]
IdentifierKind = Literal["ppid", "mykey_id"]


@dataclass(frozen=True)
class Profile:
    """What one kind of service gets and may do."""

    name: ProfileName
    scene: Literal["municipal_library", "mainly_face_to_face", "any"]  # 1
    usable_online: bool  # 2
    ppid_per_system: bool  # 3: False means a MyKey ID instead
    kazashi: bool  # 4
    system_unmodified: bool  # 5: the number is typed into the system as it is
    reading_screen: bool  # 6: False means API only
    basic_four: bool  # 7: from the text AP
    signature_certificate_read: bool  # 8
    authentication_certificate_validated: bool  # 9
    ocsp: bool  # 10
    crl: Literal["valid_mykey_id_only", "responder_out_of_service_only", "yes"]  # 11
    linked_signature_state: bool  # 12
    link_kept_by: Literal["platform", "municipal_system_or_platform"]  # 13
    terminal_os: Literal["any"]  # 14

    @property
    def identifier_kind(self) -> IdentifierKind:
        """What the result shows (row 3)."""
        return "ppid" if self.ppid_per_system else "mykey_id"


PROFILES: dict[ProfileName, Profile] = {
    "library": Profile(
        name="library",
        scene="municipal_library",
        usable_online=False,
        ppid_per_system=False,
        kazashi=True,
        system_unmodified=True,
        reading_screen=True,
        basic_four=False,
        signature_certificate_read=False,
        authentication_certificate_validated=True,
        ocsp=True,
        crl="valid_mykey_id_only",
        linked_signature_state=False,
        link_kept_by="platform",
        terminal_os="any",
    ),
    "type1": Profile(
        name="type1",
        scene="mainly_face_to_face",
        usable_online=True,
        ppid_per_system=True,
        kazashi=True,
        system_unmodified=False,
        reading_screen=True,
        basic_four=True,
        signature_certificate_read=False,
        authentication_certificate_validated=True,
        ocsp=True,
        crl="responder_out_of_service_only",
        linked_signature_state=True,
        link_kept_by="municipal_system_or_platform",
        terminal_os="any",
    ),
    "type2": Profile(
        name="type2",
        scene="any",
        usable_online=True,
        ppid_per_system=True,
        kazashi=False,
        system_unmodified=False,
        reading_screen=False,
        basic_four=False,
        signature_certificate_read=False,
        authentication_certificate_validated=True,
        ocsp=True,
        crl="yes",
        linked_signature_state=True,
        link_kept_by="municipal_system_or_platform",
        terminal_os="any",
    ),
}
