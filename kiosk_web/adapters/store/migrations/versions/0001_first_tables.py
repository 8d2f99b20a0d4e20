"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "high_water_marks",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("this_update", schema.UtcTime(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("revoked_at", schema.UtcTime(), nullable=True),
        sa.Column("revoked_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_high_water_marks")),
    )
    op.create_index(op.f("ix_high_water_marks_this_update"), "high_water_marks", ["this_update"], unique=False)
    op.create_table(
        "persons",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", schema.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
    )
    op.create_table(
        "terminals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=True),
        sa.Column("counter", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", schema.UtcTime(), nullable=False),
        sa.Column("enrolled_at", schema.UtcTime(), nullable=True),
        sa.Column("revoked_at", schema.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terminals")),
        sa.UniqueConstraint("name", name=op.f("uq_terminals_name")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("status_outcome", sa.Text(), nullable=False),
        sa.Column("status_method", sa.Text(), nullable=False),
        sa.Column("this_update", schema.UtcTime(), nullable=True),
        sa.Column("next_update", schema.UtcTime(), nullable=True),
        sa.Column("started_at", schema.UtcTime(), nullable=True),
        sa.Column("ended_at", schema.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminals.id"], name=op.f("fk_audit_terminal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_reference"), "audit", ["reference"], unique=False)
    op.create_index(op.f("ix_audit_terminal_id"), "audit", ["terminal_id"], unique=False)
    op.create_table(
        "challenges",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("consent", sa.LargeBinary(), nullable=False),
        sa.Column("lease", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("issued_at", schema.UtcTime(), nullable=False),
        sa.Column("expires_at", schema.UtcTime(), nullable=False),
        sa.Column("consumed_at", schema.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminals.id"], name=op.f("fk_challenges_terminal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenges")),
        sa.UniqueConstraint("nonce", name=op.f("uq_challenges_nonce")),
        sa.UniqueConstraint("reference", name=op.f("uq_challenges_reference")),
    )
    op.create_table(
        "enrolments",
        sa.Column("code_id", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("expires_at", schema.UtcTime(), nullable=False),
        sa.Column("used_at", schema.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminals.id"], name=op.f("fk_enrolments_terminal_id")),
        sa.PrimaryKeyConstraint("code_id", name=op.f("pk_enrolments")),
    )
    op.create_table(
        "hello_tickets",
        sa.Column("ticket_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("bridge_nonce", sa.LargeBinary(), nullable=False),
        sa.Column("page_key", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", schema.UtcTime(), nullable=False),
        sa.Column("used_at", schema.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminals.id"], name=op.f("fk_hello_tickets_terminal_id")),
        sa.PrimaryKeyConstraint("ticket_sha256", name=op.f("pk_hello_tickets")),
    )
    op.create_table(
        "mykey_ids",
        sa.Column("mykey_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("issued_at", schema.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_mykey_ids_person_id")),
        sa.PrimaryKeyConstraint("mykey_id", name=op.f("pk_mykey_ids")),
    )
    op.create_index(op.f("ix_mykey_ids_person_id"), "mykey_ids", ["person_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("challenge_id", sa.Text(), nullable=False),
        sa.Column("created_at", schema.UtcTime(), nullable=False),
        sa.Column("done_at", schema.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminals.id"], name=op.f("fk_outbox_terminal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_challenge", "outbox", ["terminal_id", "challenge_id"], unique=False)
    op.create_table(
        "pages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("cookie_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", schema.UtcTime(), nullable=False),
        sa.Column("superseded_at", schema.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminals.id"], name=op.f("fk_pages_terminal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pages")),
        sa.UniqueConstraint("cookie_sha256", name=op.f("uq_pages_cookie_sha256")),
    )
    op.create_index(op.f("ix_pages_terminal_id"), "pages", ["terminal_id"], unique=False)
    op.create_table(
        "pairwise_ids",
        sa.Column("ppid", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("issued_at", schema.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_pairwise_ids_person_id")),
        sa.PrimaryKeyConstraint("ppid", name=op.f("pk_pairwise_ids")),
        sa.UniqueConstraint("person_id", "system", name=op.f("uq_pairwise_ids_person_id")),
    )
    op.create_table(
        "person_certificates",
        sa.Column("issuer_key_id", sa.LargeBinary(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("created_at", schema.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_person_certificates_person_id")),
        sa.PrimaryKeyConstraint("issuer_key_id", "serial", name=op.f("pk_person_certificates")),
    )
    op.create_index(op.f("ix_person_certificates_person_id"), "person_certificates", ["person_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("page_id", sa.Text(), nullable=False),
        sa.Column("since", schema.UtcTime(), nullable=False),
        sa.Column("deadline_at", schema.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminals.id"], name=op.f("fk_sessions_terminal_id")),
        sa.PrimaryKeyConstraint("terminal_id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_deadline_at"), "sessions", ["deadline_at"], unique=False)
