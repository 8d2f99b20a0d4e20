"""The tables of introductions: where each cooperating system stands, how it came there, and its linkage tests."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, Table, Text

from kiosk_web.adapters.store.schema import metadata
from kiosk_web.adapters.store.utc_time import UtcTime

introductions = Table(
    "introductions",
    metadata,
    Column("system", Text, primary_key=True),
    Column("stage", Text, nullable=False),
    Column("pledged_on", Date),  # a day in Japan
)

introduction_steps = Table(
    "introduction_steps",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("system", Text, nullable=False, index=True),
    Column("stage", Text, nullable=False),  # or pledged
    Column("at", UtcTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text, nullable=False),
)

linkage_reports = Table(
    "linkage_reports",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("system", Text, nullable=False, index=True),
    Column("passed", Boolean, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("tested_at", UtcTime, nullable=False),
    Column("deployment", Text, nullable=False, server_default=""),
    Column("profiles", Text, nullable=False, server_default=""),  # parted by blanks
)
