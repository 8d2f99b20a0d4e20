"""Which links a client of the API may keep, and a version of each link for its ETag."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    with op.batch_alter_table("api_clients") as clients:
        clients.add_column(sa.Column("link_systems", sa.Text(), server_default="", nullable=False))
    op.add_column("links", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
