"""Clients of the API, their keys, used assertions and access tokens in the database."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import cast

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_not

from kiosk_web.adapters.store import api_schema as schema
from kiosk_web.adapters.store.prepared import Prepared
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.pki.status_policy import PolicyName
from kiosk_web.services.ports.clients import ClientKeyRecord, ClientRecord, TokenRecord

_c = schema.api_clients.c
_k = schema.api_client_keys.c
_a = schema.api_assertions.c
_t = schema.api_tokens.c

_HOLDS = or_(_k.ends_at.is_(None), _k.ends_at > bindparam("now"))
_FIND_BY_TOKEN = Prepared(
    select(schema.api_clients, _t.expires_at, _k.ends_at)
    .join(schema.api_tokens, _t.client == _c.name)
    .join(schema.api_client_keys, _k.id == _t.key_id)
    .where(_t.sha256 == bindparam("token"), _c.revoked_at.is_(None))
)


class SqlClientRows:
    """Implements `services.ports.clients.ClientRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def add(self, record: ClientRecord, key: ClientKeyRecord) -> None:
        await self._connection.execute(
            insert(schema.api_clients).values(
                name=record.name,
                systems="\n".join(record.systems),
                methods="\n".join(record.methods),
                origins="\n".join(record.origins),
                rate=record.rate,
                created_at=record.created_at,
                terminals="\n".join(record.terminals),
                link_systems="\n".join(record.link_systems),
                redirect_uris="\n".join(record.redirect_uris),
            )
        )
        await self._add_key(key)

    async def _add_key(self, key: ClientKeyRecord) -> None:
        await self._connection.execute(
            insert(schema.api_client_keys).values(
                id=key.id, client=key.client, der=key.der, created_at=key.created_at, ends_at=key.ends_at
            )
        )

    async def find(self, name: str) -> ClientRecord | None:
        row = (await self._connection.execute(select(schema.api_clients).where(_c.name == name))).one_or_none()
        return None if row is None else _build_client(*tuple(row))

    async def list_all(self) -> tuple[ClientRecord, ...]:
        rows = await self._connection.execute(select(schema.api_clients).order_by(_c.name))
        return tuple(_build_client(*tuple(row)) for row in rows)

    async def revoke(self, name: str, now: datetime) -> None:
        await self._connection.execute(
            update(schema.api_clients).where(_c.name == name, _c.revoked_at.is_(None)).values(revoked_at=now)
        )
        await self._connection.execute(delete(schema.api_tokens).where(_t.client == name))

    async def add_key(self, key: ClientKeyRecord, others_end_at: datetime) -> None:
        await self._connection.execute(
            update(schema.api_client_keys)
            .where(_k.client == key.client, or_(_k.ends_at.is_(None), _k.ends_at > others_end_at))
            .values(ends_at=others_end_at)
        )
        await self._add_key(key)

    async def list_keys(self, client: str, now: datetime) -> tuple[ClientKeyRecord, ...]:
        rows = await self._connection.execute(
            select(schema.api_client_keys)
            .join(schema.api_clients, _c.name == _k.client)
            .where(_k.client == client, _c.revoked_at.is_(None), _HOLDS)
            .order_by(_k.created_at.desc()),
            {"now": now},
        )
        return tuple(ClientKeyRecord(row.id, row.client, row.der, row.created_at, row.ends_at) for row in rows)

    async def is_key_known(self, key_id: str) -> bool:
        query = select(func.count()).where(_k.id == key_id)
        return bool((await self._connection.execute(query)).scalar_one())

    async def use_assertion(self, client: str, jti_sha256: bytes, expires_at: datetime) -> bool:
        added = await self._connection.execute(
            insert_or_not(schema.api_assertions)
            .values(client=client, jti_sha256=jti_sha256, expires_at=expires_at)
            .on_conflict_do_nothing(index_elements=["client", "jti_sha256"])
        )
        return added.rowcount == 1

    async def add_token(self, record: TokenRecord) -> None:
        await self._connection.execute(
            insert(schema.api_tokens).values(
                sha256=record.sha256, client=record.client, key_id=record.key_id, expires_at=record.expires_at
            )
        )

    async def find_by_token(self, sha256: bytes, now: datetime) -> ClientRecord | None:
        for *client, expires_at, key_ends_at in await self._connection.fetch(_FIND_BY_TOKEN, token=sha256):
            if expires_at > now and (key_ends_at is None or key_ends_at > now):
                return _build_client(*client)
        return None

    async def forget_expired(self, now: datetime) -> None:
        await self._connection.execute(delete(schema.api_assertions).where(_a.expires_at < now))
        await self._connection.execute(delete(schema.api_tokens).where(_t.expires_at < now))


@lru_cache(maxsize=256)
def _build_client(
    name: str,
    systems: str,
    methods: str,
    origins: str,
    rate: int,
    created_at: datetime,
    revoked_at: datetime | None,
    terminals: str,
    link_systems: str,
    redirect_uris: str,
) -> ClientRecord:
    """From the columns in their order. The same columns are the same record, at every request of a client."""
    return ClientRecord(
        name,
        _split(systems),
        cast("tuple[PolicyName, ...]", _split(methods)),
        _split(origins),
        rate,
        created_at,
        revoked_at,
        _split(terminals),
        _split(link_systems),
        _split(redirect_uris),
    )


def _split(words: str) -> tuple[str, ...]:
    return tuple(words.split("\n")) if words else ()
