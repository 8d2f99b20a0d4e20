"""What is handed over may be asked for again until its client says that it arrived."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("sealed_readings", sa.Column("taken_by", sa.Text(), nullable=True))
    for table in ("readings", "sealed_readings"):
        op.add_column(table, sa.Column("taken_at", schema.UtcTime(), nullable=True))
        op.add_column(table, sa.Column("receipt", sa.Text(), nullable=True))
        op.create_index(op.f(f"ix_{table}_receipt"), table, ["receipt"], unique=True)
    op.create_index("ix_readings_untold", "readings", ["ended_at"], sqlite_where=sa.text("result IS NOT NULL"))
