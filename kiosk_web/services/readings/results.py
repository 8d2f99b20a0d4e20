"""How a visit that a municipal system asked for ends, written in the transaction that ends the visit.

A verdict makes a result; any other end is told in one word, without why. Where the system asked for the basic 4
information too, the result is held until it is known what became of them, and is never lost over them.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Literal

from kiosk_web.errors import KioskError
from kiosk_web.identity.readings import ReadingState, name_reading_end
from kiosk_web.pki.outcomes import OUTCOMES
from kiosk_web.pki.status import CertificateStatus, StatusMalformed, derive_kept_evidence, from_json
from kiosk_web.services.ports import Transaction
from kiosk_web.session.codes import CODES
from kiosk_web.session.commands import RecordAudit

HELD = timedelta(minutes=7)
"""For so long at most a result waits for the basic 4 information: consent, 暗証番号 and the secret of the text
application take two minutes each."""

BasicFourOutcome = Literal["sent", "declined", "failed"]


async def record_reading(
    transaction: Transaction,
    reading: str,
    reference: str,
    ppid: str,
    expires_soon: bool,
    status: CertificateStatus,
    now: datetime,
) -> None:
    """The verdict accepted. The request must be open."""
    result = _build_result("good", reference, ppid, expires_soon, status, now)
    if not await transaction.asked_readings.end(reading, "done", result, now):
        raise KioskError("a reading ended while its visit was concluded")


async def hold_reading(
    transaction: Transaction,
    reading: str,
    reference: str,
    ppid: str,
    expires_soon: bool,
    status: CertificateStatus,
    now: datetime,
) -> None:
    """The verdict accepted, and the resident is asked for the basic 4 information. The request must be open."""
    result = _build_result("good", reference, ppid, expires_soon, status, now)
    if not await transaction.asked_readings.hold(reading, result, now + HELD):
        raise KioskError("a reading ended while its visit was concluded")


async def end_held(
    transaction: Transaction, reading: str, outcome: BasicFourOutcome, otherwise: ReadingState, now: datetime
) -> bool:
    """The request ends: with the result that is held, if there is one, and with what became of the basic 4
    information; else as `otherwise`. False if it had ended before.
    """
    held = await transaction.asked_readings.find_held(reading)
    if held is None:
        return await transaction.asked_readings.end(reading, otherwise, None, now)
    result = json.dumps({**json.loads(held), "basic_four": outcome})
    return await transaction.asked_readings.end(reading, "done", result, now)


async def forget_result(transaction: Transaction, reading: str) -> None:
    """Nobody is told it any more; what was sealed with it is gone too."""
    record = await transaction.asked_readings.load(reading)
    if record is None or record.result is None:
        return
    await transaction.asked_readings.forget_result(reading)
    told = json.loads(record.result)
    if told["basic_four"] == "sent":
        await transaction.readings.forget(record.system, told["reference"], record.client)


async def end_reading(transaction: Transaction, command: RecordAudit, now: datetime) -> None:
    """The visit ended. Nothing changes for a request that has a result, or was taken back."""
    asked = command.visit.reading
    if asked is None or command.outcome in ("enrolled", "ended", "done"):
        return
    if command.outcome == "provided":
        await end_held(transaction, asked.id, "sent", "failed", now)
        return
    if command.visit.purpose == "basic_four" and CODES[command.code].group != "certificate":
        declined = command.outcome == "declined" or command.code == "cancelled"
        await end_held(transaction, asked.id, "declined" if declined else "failed", "failed", now)
        return
    verdict = command.code in OUTCOMES and command.code not in ("", "evidence_refused")
    if not verdict:
        await transaction.asked_readings.end(asked.id, name_reading_end(command.code), None, now)
        return
    status: CertificateStatus | None = None
    if command.status_json is not None:
        try:
            status = from_json(command.status_json)
        except StatusMalformed:
            status = None
    result = _build_result(OUTCOMES[command.code], command.visit.reference, None, None, status, now)
    await transaction.asked_readings.end(asked.id, "done", result, now)


def _build_result(
    outcome: str,
    reference: str,
    ppid: str | None,
    expires_soon: bool | None,
    status: CertificateStatus | None,
    now: datetime,
) -> str:
    """The claims about the verdict (docs/readings.md), as JSON."""
    kept = None if status is None else derive_kept_evidence(status.evidence)
    evidence = None
    if kept is not None:
        evidence = {
            "method": kept.method,
            "this_update": _write(kept.this_update),
            "next_update": _write(kept.next_update),
            "checked_at": _write(kept.checked_at),
            "fallback": None if kept.opening is None else kept.opening.cause,
        }
    claims = {
        "accepted": outcome == "good",
        "outcome": outcome,
        "ppid": ppid,
        "reference": reference,
        "expires_soon": expires_soon,
        "judged_at": _write(now),
        "evidence": evidence,
        "basic_four": None,
    }
    return json.dumps(claims)


def _write(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
