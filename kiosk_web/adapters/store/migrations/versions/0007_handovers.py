"""What was handed over to which terminal's computer, and how it ended; no number is in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "handovers",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("issued_at", schema.UtcTime(), nullable=False),
        sa.Column("ended_at", schema.UtcTime(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("sent", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminals.id"], name=op.f("fk_handovers_terminal_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_handovers")),
        sa.UniqueConstraint("id", name=op.f("uq_handovers_id")),
    )
    op.create_index(op.f("ix_handovers_reference"), "handovers", ["reference"], unique=False)
