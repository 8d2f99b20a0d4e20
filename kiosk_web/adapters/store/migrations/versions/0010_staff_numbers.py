"""Numbers of staff, typed on the keys of a terminal; wrong codes are counted for numbers that nobody has as well."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    with op.batch_alter_table("staff") as staff:
        staff.add_column(sa.Column("number", sa.Text(), nullable=True))
    op.execute("UPDATE staff SET number = CAST(1000 + rowid AS TEXT)")  # `kiosk staff list` tells them
    with op.batch_alter_table("staff") as staff:
        staff.alter_column("number", existing_type=sa.Text(), nullable=False)
        staff.create_unique_constraint(op.f("uq_staff_number"), ["number"])
    op.drop_table("staff_attempts")  # it matters for a day
    op.create_table(
        "staff_attempts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("failed_at", schema.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminals.id"], name=op.f("fk_staff_attempts_terminal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_attempts")),
    )
    op.create_index("ix_staff_attempts_failed_at", "staff_attempts", ["failed_at"])
