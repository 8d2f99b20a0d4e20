"""Challenges to cards at readers of clients, what became of them, and answers that are given again, in the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_not

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.api_schema import kept_replies, remote_challenges, remote_visits
from kiosk_web.adapters.store.prepared import Prepared
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.services.ports.remote import KeptReply, LinkedCertificate, RemoteChallengeRecord, RemoteVisitRecord

_c = remote_challenges.c
_r = kept_replies.c
_pc = schema.person_certificates.c
_p = schema.pairwise_ids.c

_CHALLENGE = RemoteChallengeRecord._fields
_ADD_CHALLENGE = Prepared(insert(remote_challenges), _CHALLENGE)
_CONSUME_CHALLENGE = Prepared(
    update(remote_challenges)
    .where(
        _c.id == bindparam("challenge"),
        _c.client == bindparam("owner"),
        _c.consumed_at.is_(None),
        _c.expires_at >= bindparam("now"),
    )
    .values(consumed_at=bindparam("now"))
    .returning(*(_c[name] for name in _CHALLENGE))
)
_ADD_VISIT = Prepared(insert(remote_visits), RemoteVisitRecord._fields)


class SqlRemoteRows:
    """Implements `services.ports.remote.RemoteRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def add_challenge(self, record: RemoteChallengeRecord) -> None:
        await self._connection.change(_ADD_CHALLENGE, **record._asdict())

    async def consume_challenge(self, challenge: str, client: str, now: datetime) -> RemoteChallengeRecord | None:
        rows = await self._connection.fetch(_CONSUME_CHALLENGE, challenge=challenge, owner=client, now=now)
        return RemoteChallengeRecord(*rows[0]) if rows else None

    async def drop_open_challenges(self) -> None:
        await self._connection.execute(delete(remote_challenges).where(_c.consumed_at.is_(None)))

    async def add_visits(self, records: Iterable[RemoteVisitRecord]) -> None:
        await self._connection.change_all(_ADD_VISIT, (record._asdict() for record in records))

    async def find_linked(self, system: str, ppids: Collection[str]) -> Mapping[str, LinkedCertificate]:
        rows = await self._connection.execute(
            select(_p.ppid, _pc.issuer_key_id, _pc.serial)
            .join(schema.person_certificates, _pc.person_id == _p.person_id)
            .where(_p.system == system, _p.ppid.in_(sorted(ppids)))
            .order_by(_pc.created_at)
        )
        return {row.ppid: LinkedCertificate(row.issuer_key_id, int(row.serial)) for row in rows}

    async def begin_reply(self, client: str, key: str, request_sha256: bytes, now: datetime, until: datetime) -> bool:
        await self._connection.execute(delete(kept_replies).where(_r.client == client, _r.key == key, _r.until <= now))
        added = await self._connection.execute(
            insert_or_not(kept_replies)
            .values(client=client, key=key, request_sha256=request_sha256, status=0, body="", until=until)
            .on_conflict_do_nothing(index_elements=["client", "key"])
        )
        return added.rowcount == 1

    async def find_reply(self, client: str, key: str) -> KeptReply | None:
        query = select(kept_replies).where(_r.client == client, _r.key == key)
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else KeptReply(row.request_sha256, row.status, row.body)

    async def keep_reply(
        self, client: str, key: str, request_sha256: bytes, status: int, body: str, until: datetime
    ) -> None:
        await self._connection.execute(
            update(kept_replies)
            .where(_r.client == client, _r.key == key, _r.request_sha256 == request_sha256)
            .values(status=status, body=body, until=until)
        )

    async def drop_reply(self, client: str, key: str, request_sha256: bytes) -> None:
        await self._connection.execute(
            delete(kept_replies).where(_r.client == client, _r.key == key, _r.request_sha256 == request_sha256)
        )

    async def forget_expired(self, now: datetime) -> None:
        await self._connection.execute(delete(remote_challenges).where(_c.expires_at < now))
        await self._connection.execute(delete(kept_replies).where(_r.until < now))
