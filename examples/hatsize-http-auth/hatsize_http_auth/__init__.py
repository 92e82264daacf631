"""Hatsize example: an HTTP service has a say in who joins."""
