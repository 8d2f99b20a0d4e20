"""Which version of terms of use and privacy policy a person accepted, for each cooperating system."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "accepted_terms",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("accepted_at", schema.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_accepted_terms_person_id")),
        sa.PrimaryKeyConstraint("person_id", "system", "document", name=op.f("pk_accepted_terms")),
    )
