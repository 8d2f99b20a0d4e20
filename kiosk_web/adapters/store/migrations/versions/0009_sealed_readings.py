"""The basic 4 information on its way to a system: ciphertext, and how far it got."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "sealed_readings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("jwe", sa.Text(), nullable=False),
        sa.Column("created_at", schema.UtcTime(), nullable=False),
        sa.Column("expires_at", schema.UtcTime(), nullable=False),
        sa.Column("delivered_at", schema.UtcTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", schema.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealed_readings")),
        sa.UniqueConstraint("reference", name=op.f("uq_sealed_readings_reference")),
    )
    op.create_index(op.f("ix_sealed_readings_expires_at"), "sealed_readings", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sealed_readings_next_attempt_at"), "sealed_readings", ["next_attempt_at"], unique=False)
