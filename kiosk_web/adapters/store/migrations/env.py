"""Alembic's entry: runs on the connection that `migration.py` hands over."""

from __future__ import annotations

from alembic import context

from kiosk_web.adapters.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
