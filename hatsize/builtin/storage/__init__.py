"""The built-in storage: SQLite for one process, PostgreSQL for one or many."""
