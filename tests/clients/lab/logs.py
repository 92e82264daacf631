"""The tails of the logs, for the message of a test that fails."""

from pathlib import Path

TAIL_LINES = 40


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log under a heading, or that there is none."""
    if not path.exists():
        return f"--- {path.name}: no log ---"
    last = path.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([f"--- {path.name}, last {len(last)} lines ---", *last])
