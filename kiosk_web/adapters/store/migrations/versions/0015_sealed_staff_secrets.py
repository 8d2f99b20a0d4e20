"""The secrets of staff are sealed with the key in `keys/database.key`; those that were there are sealed now."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import context, op

from kiosk_web.adapters.key_files import KeyFiles
from kiosk_web.services.staff.sealing import SecretSeal

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, number, totp_secret FROM staff")).all()
    if rows:
        key = KeyFiles(context.config.attributes["data"], secrets.token_bytes).load_database_key()
        seal = SecretSeal(key, secrets.token_bytes)
        for row in rows:
            sealed = seal.seal(row.totp_secret, row.number)
            statement = sa.text("UPDATE staff SET totp_secret = :sealed WHERE id = :id")
            connection.execute(statement, {"sealed": sealed, "id": row.id})
    op.execute("ALTER TABLE staff RENAME COLUMN totp_secret TO sealed_secret")
