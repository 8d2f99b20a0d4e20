"""Where cooperating systems stand, how they came there, and their linkage tests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "introductions",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("pledged_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("system", name=op.f("pk_introductions")),
    )
    op.create_table(
        "introduction_steps",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("at", schema.UtcTime(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_introduction_steps")),
    )
    op.create_index(op.f("ix_introduction_steps_system"), "introduction_steps", ["system"], unique=False)
    op.create_table(
        "linkage_reports",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("tested_at", schema.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_linkage_reports")),
    )
    op.create_index(op.f("ix_linkage_reports_system"), "linkage_reports", ["system"], unique=False)
