"""Readings at a terminal on request of a municipal system, and at which terminals a client may ask for one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    with op.batch_alter_table("api_clients") as clients:
        clients.add_column(sa.Column("terminals", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "readings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("terminal_name", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", schema.UtcTime(), nullable=False),
        sa.Column("expires_at", schema.UtcTime(), nullable=False),
        sa.Column("ended_at", schema.UtcTime(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("delivered_at", schema.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["client"], ["api_clients.name"], name=op.f("fk_readings_client")),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminals.id"], name=op.f("fk_readings_terminal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readings")),
    )
    op.create_index("ix_readings_ended_at", "readings", ["ended_at"])
    op.create_index(
        "ix_readings_waiting", "readings", ["terminal_id"], unique=True, sqlite_where=sa.text("ended_at IS NULL")
    )
