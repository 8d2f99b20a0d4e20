"""Answers under an Idempotency-Key are sealed from now on; those that lie there as they were are deleted."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute("DELETE FROM kept_replies")
