"""The tables. Times are UTC.

`person_certificates` is the only place of a serial number; certificates themselves are nowhere. Tables of linking, of
the API, of かざし利用, readings, introductions and terms are in the schemas beside this one.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from kiosk_web.adapters.store.utc_time import UtcTime as UtcTime  # migrations say schema.UtcTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

terminals = Table(
    "terminals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("origin", Text, nullable=False),
    Column("public_key", LargeBinary),
    Column("counter", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcTime, nullable=False),
    Column("enrolled_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("facility", Text, nullable=False, server_default="main"),
)

enrolments = Table(
    "enrolments",
    metadata,
    Column("code_id", LargeBinary, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("terminal_id", ForeignKey("terminals.id"), nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
)

hello_tickets = Table(
    "hello_tickets",
    metadata,
    Column("ticket_sha256", LargeBinary, primary_key=True),
    Column("terminal_id", ForeignKey("terminals.id"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("bridge_nonce", LargeBinary, nullable=False),
    Column("page_key", LargeBinary, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
)

pages = Table(
    "pages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("terminal_id", ForeignKey("terminals.id"), nullable=False, index=True),
    Column("cookie_sha256", LargeBinary, nullable=False, unique=True),
    Column("seq", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcTime, nullable=False),
    Column("superseded_at", UtcTime),
)

sessions = Table(
    "sessions",
    metadata,
    Column("terminal_id", ForeignKey("terminals.id"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("page_id", Text, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("deadline_at", UtcTime, index=True),
)

challenges = Table(
    "challenges",
    metadata,
    Column("id", Text, primary_key=True),
    Column("ticket", Text, nullable=False),
    Column("terminal_id", ForeignKey("terminals.id"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("nonce", LargeBinary, nullable=False, unique=True),
    Column("consent", LargeBinary, nullable=False),
    Column("lease", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("reference", Text, nullable=False, unique=True),
    Column("issued_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("consumed_at", UtcTime),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("terminal_id", ForeignKey("terminals.id"), nullable=False),
    Column("challenge_id", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("done_at", UtcTime),
    Index("ix_outbox_challenge", "terminal_id", "challenge_id"),
)

persons = Table(
    "persons",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", UtcTime, nullable=False),
    Column(
        "check_again", Boolean, nullable=False, server_default=false()
    ),  # services/lists/sweep.py: and nothing of why
)

person_certificates = Table(
    "person_certificates",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("issuer_key_id", LargeBinary, nullable=False),
    Column("serial", Text, nullable=False),  # decimal: up to 20 bytes do not fit an integer column
    Column("person_id", ForeignKey("persons.id"), nullable=False, index=True),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("issuer_key_id", "serial"),
)

pairwise_ids = Table(
    "pairwise_ids",
    metadata,
    Column("ppid", Text, primary_key=True),
    Column("person_id", ForeignKey("persons.id"), nullable=False),
    Column("system", Text, nullable=False),
    Column("issued_at", UtcTime, nullable=False),
    UniqueConstraint("person_id", "system"),
)

_CURRENT_MYKEY_ID = text("state != 'superseded'")

mykey_ids = Table(
    "mykey_ids",
    metadata,
    Column("mykey_id", Text, primary_key=True),
    Column("person_id", ForeignKey("persons.id"), nullable=False, index=True),
    # The certificate it was issued to, whose serial is its issuance number (発行番号).
    Column("certificate_id", ForeignKey("person_certificates.id")),
    Column("state", Text, nullable=False),  # issued, stopped, superseded
    Column("issued_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime),
    Index(
        "uq_mykey_ids_current",
        "person_id",
        unique=True,
        sqlite_where=_CURRENT_MYKEY_ID,
        postgresql_where=_CURRENT_MYKEY_ID,
    ),
)

high_water_marks = Table(
    "high_water_marks",
    metadata,
    Column("key", LargeBinary, primary_key=True),  # a hash made by services/status/validation.py
    Column("this_update", UtcTime, nullable=False, index=True),
    Column("held", Boolean, nullable=False),
    Column("revoked_at", UtcTime),
    Column("revoked_reason", Text),
)

list_marks = Table(
    "list_marks",
    metadata,
    # The scope of a revocation list (`pki/crl_trust.py`): the key that signs it, and its distribution point, empty for
    # a list of the whole authority; or one of several names of lists (`derive_name_scope`).
    Column("key_id", LargeBinary, primary_key=True),
    Column("point", LargeBinary, primary_key=True),
    Column("crl_number", Text),  # decimal: up to 20 bytes do not fit an integer column
    Column("this_update", UtcTime, nullable=False, index=True),
    Column("sha256", LargeBinary, nullable=False),
)

fallback_openings = Table(
    "fallback_openings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("cause", Text, nullable=False),  # manager, automatic
    Column("opened_at", UtcTime, nullable=False),
    Column("until", UtcTime, nullable=False, index=True),
    Column("closed_at", UtcTime),
    Column("reason", Text, nullable=False),
    Column("opened_by", Text, nullable=False),
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("began_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("reached", Text, nullable=False),  # the person behind whom it goes on; empty before and after
    Column("persons", Integer, nullable=False),
    Column("marked", Integer, nullable=False),
    Column("unconfirmed", Integer, nullable=False),
)

handovers = Table(
    "handovers",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),  # their order; no user number is in this table
    Column("id", Text, nullable=False, unique=True),  # the ticket's
    Column("reference", Text, nullable=False, index=True),
    Column("terminal_id", ForeignKey("terminals.id"), nullable=False),
    Column("system", Text, nullable=False),
    Column("kind", Text, nullable=False),  # wedge, serial
    Column("issued_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("code", Text),  # empty: everything went out
    Column("sent", Integer),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("reference", Text, nullable=False, index=True),
    Column("terminal_id", ForeignKey("terminals.id"), nullable=False, index=True),
    Column("service", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("status_outcome", Text, nullable=False),
    Column("status_method", Text, nullable=False),
    Column("fallback", Text, nullable=False, server_default=""),  # why a list stood in: window, manager, automatic
    Column("this_update", UtcTime),
    Column("next_update", UtcTime),
    Column("started_at", UtcTime),
    Column("ended_at", UtcTime, nullable=False),
    Column("lease", Text, nullable=False, server_default=""),  # who attended a tap
)

sealed_readings = Table(
    "sealed_readings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("reference", Text, nullable=False, unique=True),
    Column("system", Text, nullable=False),
    Column("jwe", Text, nullable=False),  # ciphertext for the system alone; "" once it is over
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False, index=True),
    Column("delivered_at", UtcTime),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcTime, index=True),
    Column("taken_by", Text),
    Column("taken_at", UtcTime),
    Column("receipt", Text, index=True, unique=True),
)
