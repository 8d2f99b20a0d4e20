"""The database behind `services/ports.py`: SQLAlchemy Core on SQLite, migrated with Alembic."""
