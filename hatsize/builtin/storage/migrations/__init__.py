"""The core's migrations, run by Alembic from inside the package."""
