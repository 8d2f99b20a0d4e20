"""The tables of readings on request. `result` has a PPID from the verdict until it is told, for minutes at most."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, LargeBinary, Table, Text, false, text

from kiosk_web.adapters.store.schema import metadata
from kiosk_web.adapters.store.utc_time import UtcTime

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
    Column("redirected", Boolean, nullable=False, server_default=false()),
    Column("taken_at", UtcTime),
    Column("receipt", Text, index=True, unique=True),
    Index("ix_readings_untold", "ended_at", sqlite_where=text("result IS NOT NULL")),
    Index("ix_readings_waiting", "terminal_id", unique=True, sqlite_where=text("ended_at IS NULL")),
)

reading_redirects = Table(
    "reading_redirects",
    metadata,
    Column("reading_id", ForeignKey("readings.id", ondelete="CASCADE"), primary_key=True),
    Column("redirect_uri", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("code_challenge", Text, nullable=False),
    Column("handle_sha256", LargeBinary, nullable=False, unique=True),
    Column("title_ja", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("browser_sha256", LargeBinary, unique=True),  # the cookie of the browser that used the handle
    Column("code_sha256", LargeBinary, unique=True),
    Column("code_expires_at", UtcTime),
    Column("redeemed_at", UtcTime),
    Column("basic_four", Boolean, nullable=False, server_default=false()),
)
