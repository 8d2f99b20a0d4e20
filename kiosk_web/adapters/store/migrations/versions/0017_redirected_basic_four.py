"""A reading with the system's own browser page may ask for the basic 4 information too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("reading_redirects", sa.Column("basic_four", sa.Boolean(), server_default=sa.false(), nullable=False))
