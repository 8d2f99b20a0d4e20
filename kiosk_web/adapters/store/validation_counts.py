"""The confirmations that the audit records and the records of the API name, for `kiosk counts`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import select

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.api_schema import remote_visits
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.identity.counts import Validation

METHODS = ("ocsp", "crl")
NO_ANSWER = "unavailable"
BY_SERVICE = "(service {})"
"""The system of a service that is not in the settings any more."""


async def load_validations(store: SqlStore, systems: Mapping[str, str]) -> tuple[Validation, ...]:
    """`systems` by the id of their services. Visits in which nobody was asked are left out."""
    audit, remote = schema.audit.c, remote_visits.c
    async with store.read() as transaction:
        visits = await transaction.connection.execute(
            select(audit.service, audit.status_method, audit.ended_at).where(
                audit.status_method.in_(METHODS), audit.status_outcome != NO_ANSWER
            )
        )
        calls = await transaction.connection.execute(
            select(remote.system, remote.status_method, remote.ended_at).where(
                remote.status_method.in_(METHODS), remote.status_outcome != NO_ANSWER
            )
        )

        def read() -> Iterator[Validation]:
            for row in visits:
                system = systems.get(row.service, BY_SERVICE.format(row.service))
                yield Validation(system, row.status_method, "terminal", row.ended_at)
            for row in calls:
                yield Validation(row.system, row.status_method, "api", row.ended_at)

        return tuple(read())
