"""A verdict is written field by field, and is what its model says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import get_args

import pytest

from kiosk_web.identity.standing import HolderStanding
from kiosk_web.pki.outcomes import Outcome
from kiosk_web.pki.status import Evidence, Opening
from kiosk_web.services.api.answers import RemoteVerdict
from kiosk_web.web.api import models as m
from kiosk_web.web.api.validation_handlers import write_validation

NOW = datetime(2026, 11, 23, 3, 0, 0, 123456, tzinfo=UTC)
EVIDENCE = Evidence("crl", NOW, NOW + timedelta(hours=1), None, "", bytes(range(32)), NOW, "issuer", b"c" * 32, 7)
GOOD = RemoteVerdict("good", None, "ABCD-EFGH", "facility-booking", NOW, "A" * 24, False, EVIDENCE)
OPENING = Opening("manager", NOW, NOW + timedelta(hours=1))
CASES = {
    "good": GOOD,
    "soon over": replace(GOOD, expires_soon=True, judged_at=NOW.replace(microsecond=0)),
    "nobody asked": replace(GOOD, outcome="malformed", ppid=None, expires_soon=None, evidence=None),
    "a responder": replace(GOOD, evidence=replace(EVIDENCE, method="ocsp", responder="http://例え.example/ocsp?\"'")),
    "no answer": replace(GOOD, evidence=replace(EVIDENCE, this_update=None, next_update=None, sha256=b"")),
    "a list in its place": replace(GOOD, evidence=replace(EVIDENCE, opening=OPENING)),
    "unchanged": replace(GOOD, standing=HolderStanding("valid", "unchanged", date(2026, 1, 2), NOW)),
    "no register": replace(GOOD, standing=HolderStanding(why="unreachable")),
    **{outcome: replace(GOOD, outcome=outcome, reason="why") for outcome in get_args(Outcome)},
}


@pytest.mark.parametrize("verdict", CASES.values(), ids=CASES)
def test_it_is_what_the_model_reads_and_would_write(verdict: RemoteVerdict) -> None:
    written = write_validation(verdict)
    read = m.ValidationAnswer.model_validate_json(written)
    assert read.model_dump_json() == written
    assert read.accepted == (verdict.outcome == "good")
    assert (read.evidence is None, read.standing is None) == (verdict.evidence is None, verdict.standing is None)


@pytest.mark.parametrize("moment", [NOW, NOW.replace(microsecond=999_999), datetime(999, 1, 2, 3, 4, 5, tzinfo=UTC)])
def test_a_time_is_told_in_utc_to_the_millisecond(moment: datetime) -> None:
    usual = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert m.write_time(moment) == m.write_time(moment.astimezone(timezone(timedelta(hours=9)))) == usual
