"""One record for every visit that ended, written in the transaction that ends it. It leads to no person."""

from __future__ import annotations

from datetime import datetime

from kiosk_web.pki.status import StatusMalformed, from_json, name_outcome
from kiosk_web.services.ports import AuditRecord, Transaction
from kiosk_web.session.commands import RecordAudit


async def record_visit(transaction: Transaction, terminal: str, command: RecordAudit, now: datetime) -> None:
    """Write the record that the machine asked for."""
    outcome, method, this_update, next_update = _describe(command.status_json)
    await transaction.audit.add(
        AuditRecord(
            reference=command.visit.reference,
            terminal=terminal,
            service=command.visit.service,
            outcome=command.outcome,
            code=command.code,
            method="pin",
            status_outcome=outcome,
            status_method=method,
            this_update=this_update,
            next_update=next_update,
            started_at=command.visit.started_at,
            ended_at=now,
        )
    )


def _describe(status_json: str | None) -> tuple[str, str, datetime | None, datetime | None]:
    if status_json is None:
        return "", "", None, None
    try:
        status = from_json(status_json)
    except StatusMalformed:
        return "malformed", "", None, None
    evidence = status.evidence
    return name_outcome(status), evidence.method, evidence.this_update, evidence.next_update
