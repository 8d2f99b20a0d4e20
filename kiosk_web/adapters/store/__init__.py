"""The database behind `services/ports/`: SQLAlchemy Core on SQLite, migrated with Alembic."""
