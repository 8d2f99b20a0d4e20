"""A linkage test says under which deployment it was run, and for which profiles. Older ones do not: run them again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    for name in ("deployment", "profiles"):
        op.add_column("linkage_reports", sa.Column(name, sa.Text(), server_default="", nullable=False))
