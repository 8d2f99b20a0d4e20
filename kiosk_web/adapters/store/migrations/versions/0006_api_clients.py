"""Clients of the API, their keys, assertions and tokens; challenges, validations and kept answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "api_clients",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("systems", sa.Text(), nullable=False),
        sa.Column("methods", sa.Text(), nullable=False),
        sa.Column("origins", sa.Text(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("created_at", schema.UtcTime(), nullable=False),
        sa.Column("revoked_at", schema.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_api_clients")),
    )
    op.create_table(
        "api_client_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", schema.UtcTime(), nullable=False),
        sa.Column("ends_at", schema.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["client"], ["api_clients.name"], name=op.f("fk_api_client_keys_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_client_keys")),
    )
    op.create_index(op.f("ix_api_client_keys_client"), "api_client_keys", ["client"], unique=False)
    op.create_table(
        "api_assertions",
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("jti_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", schema.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["client"], ["api_clients.name"], name=op.f("fk_api_assertions_client")),
        sa.PrimaryKeyConstraint("client", "jti_sha256", name=op.f("pk_api_assertions")),
    )
    op.create_index(op.f("ix_api_assertions_expires_at"), "api_assertions", ["expires_at"], unique=False)
    op.create_table(
        "api_tokens",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("expires_at", schema.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["client"], ["api_clients.name"], name=op.f("fk_api_tokens_client")),
        sa.ForeignKeyConstraint(["key_id"], ["api_client_keys.id"], name=op.f("fk_api_tokens_key_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_api_tokens")),
    )
    op.create_index(op.f("ix_api_tokens_expires_at"), "api_tokens", ["expires_at"], unique=False)
    op.create_table(
        "remote_challenges",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("issued_at", schema.UtcTime(), nullable=False),
        sa.Column("expires_at", schema.UtcTime(), nullable=False),
        sa.Column("consumed_at", schema.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["client"], ["api_clients.name"], name=op.f("fk_remote_challenges_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remote_challenges")),
        sa.UniqueConstraint("reference", name=op.f("uq_remote_challenges_reference")),
    )
    op.create_index(op.f("ix_remote_challenges_expires_at"), "remote_challenges", ["expires_at"], unique=False)
    op.create_table(
        "remote_visits",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("status_outcome", sa.Text(), nullable=False),
        sa.Column("status_method", sa.Text(), nullable=False),
        sa.Column("fallback", sa.Text(), nullable=False),
        sa.Column("this_update", schema.UtcTime(), nullable=True),
        sa.Column("next_update", schema.UtcTime(), nullable=True),
        sa.Column("started_at", schema.UtcTime(), nullable=False),
        sa.Column("ended_at", schema.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["client"], ["api_clients.name"], name=op.f("fk_remote_visits_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remote_visits")),
    )
    op.create_index(op.f("ix_remote_visits_reference"), "remote_visits", ["reference"], unique=False)
    op.create_table(
        "kept_replies",
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("until", schema.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["client"], ["api_clients.name"], name=op.f("fk_kept_replies_client")),
        sa.PrimaryKeyConstraint("client", "key", name=op.f("pk_kept_replies")),
    )
    op.create_index(op.f("ix_kept_replies_until"), "kept_replies", ["until"], unique=False)
