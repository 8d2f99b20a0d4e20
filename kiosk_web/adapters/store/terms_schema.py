"""The table of accepted terms."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text

from kiosk_web.adapters.store.schema import metadata
from kiosk_web.adapters.store.utc_time import UtcTime

accepted_terms = Table(
    "accepted_terms",
    metadata,
    Column("person_id", ForeignKey("persons.id"), primary_key=True),
    Column("system", Text, primary_key=True),
    Column("document", Text, primary_key=True),  # terms-of-use, privacy-policy
    Column("version", Text, nullable=False),
    Column("accepted_at", UtcTime, nullable=False),
)
