"""The register file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk_web.simulator.names import Kind
from kiosk_web.simulator.register import Entry, Linked, Reason, Register, RegisterError, State

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def entry(serial: int, kind: Kind = Kind.AUTHENTICATION, person: str = "midori") -> Entry:
    return Entry("authca03", serial, kind, person, "12901", NOW - timedelta(days=9), NOW + timedelta(days=900))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "register.sqlite3"


def test_what_is_recorded_is_found_by_another_holder_of_the_file(path: Path) -> None:
    writer, reader = Register(path), Register(path)
    writer.record_issue(entry(7))
    assert reader.find("authca03", 7) == entry(7)
    writer.record_state(entry(7), State.ON_HOLD, Reason.CERTIFICATE_HOLD, NOW)
    found = reader.find("authca03", 7)
    assert found is not None
    assert (found.state, found.reason, found.changed_at) == (State.ON_HOLD, Reason.CERTIFICATE_HOLD, NOW)
    writer.close()
    reader.close()


def test_a_serial_belongs_to_one_authority(path: Path) -> None:
    register = Register(path)
    register.record_issue(entry(7))
    assert register.find("authca02", 7) is None
    assert register.find("authca03", 2**63) is register.find("authca03", 2**160 - 1) is None
    register.close()


def test_only_the_newest_certificate_of_a_kind_is_current(path: Path) -> None:
    register = Register(path)
    for serial, kind in ((1, Kind.AUTHENTICATION), (2, Kind.SIGNATURE), (3, Kind.AUTHENTICATION)):
        register.record_issue(entry(serial, kind))
    found = [register.find_current("midori", kind) for kind in Kind]
    assert [e.serial for e in found if e is not None] == [3, 2]
    register.close()


def test_revoked_is_for_ever(path: Path) -> None:
    register = Register(path)
    register.record_issue(entry(7))
    register.record_state(entry(7), State.REVOKED, Reason.SUPERSEDED, NOW)
    with pytest.raises(RegisterError, match="already revoked"):
        register.record_state(entry(7), State.GOOD, None, NOW)
    register.close()


def test_a_change_that_fails_leaves_nothing_behind(path: Path) -> None:
    register = Register(path)

    def change() -> None:
        with register.change():
            register.record_issue(entry(7))
            register.record_state(entry(8), State.REVOKED, None, NOW)

    with pytest.raises(RegisterError):
        change()
    assert register.find("authca03", 7) is None
    register.close()


def test_a_list_keeps_its_number_while_its_content_is_the_same(path: Path) -> None:
    register = Register(path)
    numbers = [register.issue_list_number("authca03", content) for content in ("a", "a", "b", "a")]
    assert numbers == [1, 1, 2, 3]
    assert register.issue_list_number("authca02", "a") == 1
    register.close()


def test_a_person_without_a_signature_certificate_has_none_issued(path: Path) -> None:
    register = Register(path)
    register.record_issue(entry(7))
    standing = register.judge_standing(entry(7), NOW)
    assert standing.signature_certificate is Linked.NONE_ISSUED
    assert standing.renewed_to is None
    register.close()
