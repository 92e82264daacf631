"""Hatsize example: a storage in one file of JSON lines."""
