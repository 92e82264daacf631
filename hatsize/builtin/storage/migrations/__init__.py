"""The core's migrations, run by Alembic from inside the package.

While an upgrade is under way, replicas of two successive releases serve side by side. So a migration only adds: a new
column has a server default, and what is no longer used is dropped a release later.
"""
