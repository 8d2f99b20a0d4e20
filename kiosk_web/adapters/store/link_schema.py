"""The tables of linking: user numbers, who was here lately, confirmations, and what staff did.

`links` and `valid_numbers` are the only places of a user number.
"""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from kiosk_web.adapters.store.schema import UtcTime, metadata

_ACTIVE = text("state = 'active'")

links = Table(
    "links",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("system", Text, nullable=False),
    Column("person_id", ForeignKey("persons.id"), nullable=False, index=True),
    Column("user_number", Text, nullable=False),
    Column("state", Text, nullable=False),  # active, ended
    Column("way", Text, nullable=False),  # terminal, desk, command, file, api
    Column("linked_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("version", Integer, nullable=False, server_default="1"),  # rises with the number; its ETag
    # Unique both ways, as long as the link is active.
    Index("uq_links_number", "system", "user_number", unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
    Index("uq_links_person", "system", "person_id", unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
)

valid_numbers = Table(
    "valid_numbers",
    metadata,
    Column("system", Text, primary_key=True),
    Column("user_number", Text, primary_key=True),
)

link_files = Table(
    "link_files",
    metadata,
    Column("system", Text, primary_key=True),
    Column("kind", Text, primary_key=True),  # unlink, renumber
    Column("sha256", LargeBinary, primary_key=True),
    Column("applied_at", UtcTime, nullable=False),
)

recent_visits = Table(
    "recent_visits",
    metadata,
    # Who was at the terminal under this reference number, for the link desk, until `expires_at` and no longer.
    Column("reference", Text, primary_key=True),
    Column("person_id", ForeignKey("persons.id"), nullable=False),
    Column("system", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("expires_at", UtcTime, nullable=False, index=True),
)

confirmations = Table(
    "confirmations",
    metadata,
    Column("person_id", ForeignKey("persons.id"), primary_key=True),
    Column("system", Text, primary_key=True),
    Column("confirmed_on", Date, nullable=False),  # a day in Japan
)

staff_audit = Table(
    "staff_audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("by", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("link_id", ForeignKey("links.id")),  # the number itself is with the link only
    Column("outcome", Text, nullable=False),  # done, or the name of a refusal
    Column("count", Integer, nullable=False),  # of what a file changed, else 1 or 0
    Column("reason", Text, nullable=False),
)
