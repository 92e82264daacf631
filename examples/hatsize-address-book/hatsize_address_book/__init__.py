"""Hatsize example: IPv4 addresses from a book."""
