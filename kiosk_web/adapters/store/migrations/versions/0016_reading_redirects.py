"""Readings for which a municipal system sends its own browser page, and where a client's pages may be sent back to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    with op.batch_alter_table("api_clients") as clients:
        clients.add_column(sa.Column("redirect_uris", sa.Text(), server_default="", nullable=False))
    op.add_column("readings", sa.Column("redirected", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "reading_redirects",
        sa.Column("reading_id", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code_challenge", sa.Text(), nullable=False),
        sa.Column("handle_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("title_ja", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("browser_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("code_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("code_expires_at", schema.UtcTime(), nullable=True),
        sa.Column("redeemed_at", schema.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["reading_id"], ["readings.id"], name=op.f("fk_reading_redirects_reading_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("reading_id", name=op.f("pk_reading_redirects")),
        sa.UniqueConstraint("handle_sha256", name=op.f("uq_reading_redirects_handle_sha256")),
        sa.UniqueConstraint("browser_sha256", name=op.f("uq_reading_redirects_browser_sha256")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_reading_redirects_code_sha256")),
    )
