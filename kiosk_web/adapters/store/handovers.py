"""Hand-overs in the database: added, ended once, never changed otherwise."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.services.ports.handovers import HandoverRecord

_h = schema.handovers.c

_ADD = insert(schema.handovers)


class SqlHandoverRows:
    """Implements `services.ports.handovers.HandoverRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def add(self, record: HandoverRecord) -> None:
        await self._connection.execute(
            _ADD,
            {
                "id": record.id,
                "reference": record.reference,
                "terminal_id": record.terminal,
                "system": record.system,
                "kind": record.kind,
                "issued_at": record.issued_at,
                "ended_at": record.ended_at,
                "code": record.code,
                "sent": record.sent,
            },
        )

    async def list_of_visit(self, reference: str) -> tuple[HandoverRecord, ...]:
        rows = await self._connection.execute(
            select(schema.handovers).where(_h.reference == reference).order_by(_h.number)
        )
        return tuple(
            HandoverRecord(
                row.id,
                row.reference,
                row.terminal_id,
                row.system,
                row.kind,
                row.issued_at,
                row.ended_at,
                row.code,
                row.sent,
            )
            for row in rows
        )

    async def finish(self, output: str, terminal: str, code: str, sent: int, now: datetime) -> bool:
        ended = await self._connection.execute(
            update(schema.handovers)
            .where(_h.id == output, _h.terminal_id == terminal, _h.ended_at.is_(None))
            .values(ended_at=now, code=code, sent=sent)
            .returning(_h.id)
        )
        return ended.first() is not None
