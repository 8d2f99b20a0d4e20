"""Openings of the fallback, and in the audit record why a list was asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "fallback_openings",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("opened_at", schema.UtcTime(), nullable=False),
        sa.Column("until", schema.UtcTime(), nullable=False),
        sa.Column("closed_at", schema.UtcTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fallback_openings")),
    )
    op.create_index(op.f("ix_fallback_openings_until"), "fallback_openings", ["until"], unique=False)
    with op.batch_alter_table("audit") as audit:
        audit.add_column(sa.Column("fallback", sa.Text(), server_default="", nullable=False))
