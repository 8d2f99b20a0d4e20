"""High-water marks of revocation lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "list_marks",
        sa.Column("key_id", sa.LargeBinary(), nullable=False),
        sa.Column("point", sa.LargeBinary(), nullable=False),
        sa.Column("crl_number", sa.Text(), nullable=True),
        sa.Column("this_update", schema.UtcTime(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "point", name=op.f("pk_list_marks")),
    )
