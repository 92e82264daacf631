"""By what a replica is known from one start to the next."""

import secrets
from pathlib import Path

FILE = "id"


def kept_id(folder: Path) -> str:
    """The replica's id, 8 hexadecimal digits, kept in a folder; made at the first start."""
    file = folder / FILE
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text(secrets.token_hex(4) + "\n")
        return file.read_text().strip()
