"""Links and what belongs to them; certificates with a number of their own, to which a MyKey ID is recorded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk_web.adapters.store import schema

revision = "0005"
down_revision = "0004"

_CURRENT = sa.text("state != 'superseded'")
_ACTIVE = sa.text("state = 'active'")


def upgrade() -> None:
    _number_certificates()
    _record_mykey_ids()
    op.create_table(
        "links",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("user_number", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("linked_at", schema.UtcTime(), nullable=False),
        sa.Column("ended_at", schema.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_links_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
    )
    op.create_index(op.f("ix_links_person_id"), "links", ["person_id"], unique=False)
    for name, column in (("uq_links_number", "user_number"), ("uq_links_person", "person_id")):
        op.create_index(name, "links", ["system", column], unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE)
    op.create_table(
        "valid_numbers",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("user_number", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("system", "user_number", name=op.f("pk_valid_numbers")),
    )
    op.create_table(
        "link_files",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("applied_at", schema.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("system", "kind", "sha256", name=op.f("pk_link_files")),
    )
    op.create_table(
        "recent_visits",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("expires_at", schema.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_recent_visits_person_id")),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_recent_visits")),
    )
    op.create_index(op.f("ix_recent_visits_expires_at"), "recent_visits", ["expires_at"], unique=False)
    op.create_table(
        "confirmations",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("confirmed_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_confirmations_person_id")),
        sa.PrimaryKeyConstraint("person_id", "system", name=op.f("pk_confirmations")),
    )
    op.create_table(
        "staff_audit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", schema.UtcTime(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_staff_audit_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_audit")),
    )
    op.create_index(op.f("ix_staff_audit_at"), "staff_audit", ["at"], unique=False)


def _number_certificates() -> None:
    op.drop_index(op.f("ix_person_certificates_person_id"), "person_certificates")
    op.rename_table("person_certificates", "person_certificates_before")
    op.create_table(
        "person_certificates",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("issuer_key_id", sa.LargeBinary(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("created_at", schema.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_person_certificates_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_certificates")),
        sa.UniqueConstraint("issuer_key_id", "serial", name=op.f("uq_person_certificates_issuer_key_id")),
    )
    op.create_index(op.f("ix_person_certificates_person_id"), "person_certificates", ["person_id"], unique=False)
    op.execute(
        "INSERT INTO person_certificates (issuer_key_id, serial, person_id, created_at)"
        " SELECT issuer_key_id, serial, person_id, created_at FROM person_certificates_before ORDER BY created_at"
    )
    op.drop_table("person_certificates_before")


def _record_mykey_ids() -> None:
    with op.batch_alter_table("mykey_ids") as mykey_ids:
        mykey_ids.add_column(sa.Column("certificate_id", sa.Integer(), nullable=True))
        mykey_ids.add_column(sa.Column("changed_at", schema.UtcTime(), nullable=True))
        mykey_ids.create_foreign_key(
            op.f("fk_mykey_ids_certificate_id"), "person_certificates", ["certificate_id"], ["id"]
        )
    op.execute(
        "UPDATE mykey_ids SET certificate_id = (SELECT min(c.id) FROM person_certificates AS c"
        " WHERE c.person_id = mykey_ids.person_id)"
    )
    op.create_index(
        "uq_mykey_ids_current",
        "mykey_ids",
        ["person_id"],
        unique=True,
        sqlite_where=_CURRENT,
        postgresql_where=_CURRENT,
    )
