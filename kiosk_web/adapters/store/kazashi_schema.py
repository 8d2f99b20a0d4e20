"""The tables of かざし利用: staff, their wrong codes, their leases of terminals, and the keys of enrolled cards."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table, Text

from kiosk_web.adapters.store.schema import metadata
from kiosk_web.adapters.store.utc_time import UtcTime

staff = Table(
    "staff",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("number", Text, nullable=False, unique=True),
    Column("facility", Text, nullable=False),
    Column("sealed_secret", Text, nullable=False),
    Column("last_step", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
)

staff_attempts = Table(
    "staff_attempts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("terminal_id", ForeignKey("terminals.id"), nullable=False),
    Column("subject", Text, nullable=False),  # a member, or a share of the numbers that nobody has
    Column("failed_at", UtcTime, nullable=False, index=True),
)

leases = Table(
    "leases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("terminal_id", ForeignKey("terminals.id"), nullable=False, index=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("page_id", Text, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("active_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("ended_by", Text, nullable=False),
)

kazashi_enrolments = Table(
    "kazashi_enrolments",
    metadata,
    Column("certificate_sha256", LargeBinary, primary_key=True),
    Column("person_id", ForeignKey("persons.id"), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),  # of the card's surface application, DER
    Column("enrolled_at", UtcTime, nullable=False),
    Column("used_at", UtcTime, nullable=False),
)
