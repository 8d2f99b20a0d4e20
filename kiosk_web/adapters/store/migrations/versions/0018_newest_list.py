"""The newest of all revocation lists is found without a look at each: it is asked at every validation by lists."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_index(op.f("ix_list_marks_this_update"), "list_marks", ["this_update"], unique=False)
