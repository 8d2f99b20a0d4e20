"""The tables of the API: clients, their keys, tokens and used assertions; validations at their own readers."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table, Text

from kiosk_web.adapters.store.schema import UtcTime, metadata

api_clients = Table(
    "api_clients",
    metadata,
    Column("name", Text, primary_key=True),
    Column("systems", Text, nullable=False),  # this and the next two: words with a line feed between them
    Column("methods", Text, nullable=False),
    Column("origins", Text, nullable=False),
    Column("rate", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    Column("terminals", Text, nullable=False, server_default=""),  # names, like `systems`
    Column("link_systems", Text, nullable=False, server_default=""),
    Column("redirect_uris", Text, nullable=False, server_default=""),
)

api_client_keys = Table(
    "api_client_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("client", ForeignKey("api_clients.name"), nullable=False, index=True),
    Column("der", LargeBinary, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime),
)

api_assertions = Table(
    "api_assertions",
    metadata,
    Column("client", ForeignKey("api_clients.name"), primary_key=True),
    Column("jti_sha256", LargeBinary, primary_key=True),
    Column("expires_at", UtcTime, nullable=False, index=True),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("client", ForeignKey("api_clients.name"), nullable=False),
    Column("key_id", ForeignKey("api_client_keys.id"), nullable=False),
    Column("expires_at", UtcTime, nullable=False, index=True),
)

remote_challenges = Table(
    "remote_challenges",
    metadata,
    Column("id", Text, primary_key=True),
    Column("client", ForeignKey("api_clients.name"), nullable=False),
    Column("system", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("reference", Text, nullable=False, unique=True),
    Column("issued_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False, index=True),
    Column("consumed_at", UtcTime),
)

remote_visits = Table(
    "remote_visits",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("reference", Text, nullable=False, index=True),
    Column("client", ForeignKey("api_clients.name"), nullable=False),
    Column("system", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("status_outcome", Text, nullable=False),
    Column("status_method", Text, nullable=False),
    Column("fallback", Text, nullable=False),
    Column("this_update", UtcTime),
    Column("next_update", UtcTime),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime, nullable=False),
)

kept_replies = Table(
    "kept_replies",
    metadata,
    Column("client", ForeignKey("api_clients.name"), primary_key=True),
    Column("key", Text, primary_key=True),  # derived from the Idempotency-Key, which is not kept
    Column("request_sha256", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),  # 0: being worked on
    Column("body", Text, nullable=False),  # sealed (`services/api/kept_replies.py`)
    Column("until", UtcTime, nullable=False, index=True),
)
