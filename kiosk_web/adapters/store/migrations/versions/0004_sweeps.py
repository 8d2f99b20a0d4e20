"""Persons to be checked again, and the nightly sweeps that mark them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "sweeps",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("began_at", schema.UtcTime(), nullable=False),
        sa.Column("ended_at", schema.UtcTime(), nullable=True),
        sa.Column("reached", sa.Text(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.Column("marked", sa.Integer(), nullable=False),
        sa.Column("unconfirmed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweeps")),
    )
    with op.batch_alter_table("persons") as persons:
        persons.add_column(sa.Column("check_again", sa.Boolean(), server_default=sa.false(), nullable=False))
