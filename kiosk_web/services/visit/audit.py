"""One record for every visit that ended, written in the transaction that ends it. It leads to no person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kiosk_web.pki.status import StatusMalformed, derive_kept_evidence, from_json, name_outcome
from kiosk_web.services.ports import Transaction
from kiosk_web.services.ports.audit import AuditRecord
from kiosk_web.session.commands import RecordAudit


async def record_visit(
    transaction: Transaction, terminal: str, command: RecordAudit, now: datetime, *, lease: str = ""
) -> None:
    """Write the record that the machine asked for. `lease`: under which its tap was attended."""
    said = _describe(command.status_json)
    await transaction.audit.add(
        AuditRecord(
            reference=command.visit.reference,
            terminal=terminal,
            service=command.visit.service,
            outcome=command.outcome,
            code=command.code,
            method=command.visit.method,
            status_outcome=said.outcome,
            status_method=said.method,
            fallback=said.fallback,
            this_update=said.this_update,
            next_update=said.next_update,
            started_at=command.visit.started_at,
            ended_at=now,
            lease=lease,
        )
    )


@dataclass(frozen=True)
class _Said:
    """What is kept of a status."""

    outcome: str = ""
    method: str = ""
    fallback: str = ""
    this_update: datetime | None = None
    next_update: datetime | None = None


def _describe(status_json: str | None) -> _Said:
    if status_json is None:
        return _Said()
    try:
        status = from_json(status_json)
    except StatusMalformed:
        return _Said("malformed")
    kept = derive_kept_evidence(status.evidence)
    fallback = "" if kept.opening is None else kept.opening.cause
    return _Said(name_outcome(status), kept.method, fallback, kept.this_update, kept.next_update)
