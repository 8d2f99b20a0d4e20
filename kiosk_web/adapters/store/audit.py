"""The audit records in the database: added and read, never changed."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import func, insert, select

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.services.ports.audit import AuditRecord, LatestVisit

_a = schema.audit.c

_ADD = insert(schema.audit)


class SqlAuditRows:
    """Implements `services.ports.audit.AuditRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def add(self, record: AuditRecord) -> None:
        values = asdict(record)
        values["terminal_id"] = values.pop("terminal")
        await self._connection.execute(_ADD, values)

    async def list_latest(self) -> tuple[LatestVisit, ...]:
        newest = select(func.max(_a.id)).group_by(_a.terminal_id)
        rows = await self._connection.execute(select(_a.terminal_id, _a.outcome, _a.code).where(_a.id.in_(newest)))
        return tuple(LatestVisit(row.terminal_id, row.outcome, row.code) for row in rows)
