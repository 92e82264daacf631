"""Hatsize example: a policy put together from a folder."""
