"""Staff who attend a terminal, their leases, and the keys of cards that are enrolled for kazashi."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    with op.batch_alter_table("terminals") as terminals:
        terminals.add_column(sa.Column("facility", sa.Text(), server_default="main", nullable=False))
    with op.batch_alter_table("audit") as audit:
        audit.add_column(sa.Column("lease", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "staff",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("facility", sa.Text(), nullable=False),
        sa.Column("totp_secret", sa.Text(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("created_at", schema.UtcTime(), nullable=False),
        sa.Column("revoked_at", schema.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("name", name=op.f("uq_staff_name")),
    )
    op.create_table(
        "staff_attempts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=True),
        sa.Column("failed_at", schema.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminals.id"], name=op.f("fk_staff_attempts_terminal_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_attempts_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_attempts")),
    )
    op.create_index("ix_staff_attempts_failed_at", "staff_attempts", ["failed_at"])
    op.create_table(
        "leases",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("page_id", sa.Text(), nullable=False),
        sa.Column("opened_at", schema.UtcTime(), nullable=False),
        sa.Column("expires_at", schema.UtcTime(), nullable=False),
        sa.Column("active_at", schema.UtcTime(), nullable=False),
        sa.Column("ended_at", schema.UtcTime(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminals.id"], name=op.f("fk_leases_terminal_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_leases_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leases")),
    )
    op.create_index("ix_leases_terminal_id", "leases", ["terminal_id"])
    op.create_table(
        "kazashi_enrolments",
        sa.Column("certificate_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_at", schema.UtcTime(), nullable=False),
        sa.Column("used_at", schema.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_kazashi_enrolments_person_id")),
        sa.PrimaryKeyConstraint("certificate_sha256", name=op.f("pk_kazashi_enrolments")),
    )
    op.create_index("ix_kazashi_enrolments_person_id", "kazashi_enrolments", ["person_id"])
