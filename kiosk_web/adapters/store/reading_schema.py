"""The table of readings on request. `result` has a PPID from the verdict until it is told, for minutes at most."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text, text

from kiosk_web.adapters.store.schema import UtcTime, metadata

readings = Table(
    "readings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("client", ForeignKey("api_clients.name"), nullable=False),
    Column("system", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("terminal_id", ForeignKey("terminals.id"), nullable=False),
    Column("terminal_name", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime, index=True),
    Column("result", Text),
    Column("delivered_at", UtcTime),
    Index("ix_readings_waiting", "terminal_id", unique=True, sqlite_where=text("ended_at IS NULL")),
)
