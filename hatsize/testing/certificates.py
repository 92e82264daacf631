"""Certificates for tests of what speaks TLS."""

from collections.abc import Sequence
from pathlib import Path

from hatsize.server import tls


def self_signed(directory: Path, names: Sequence[str]) -> tuple[Path, Path]:
    """A self-signed certificate for DNS names and addresses, and its key: PEM files in `directory`."""
    files = tls.self_signed(directory, names)
    return files.certificate, files.key
