"""Hatsize: a self-hosted control server for unmodified Tailscale clients."""

__version__ = "0.1.0"
