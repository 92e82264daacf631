"""The tails of the logs, for the message of a test that fails."""

from pathlib import Path

TAIL_LINES = 40


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log under a heading, or that there is none."""
    name = f"{path.parent.name}/{path.name}"
    if not path.exists():
        return f"--- no {name} ---"
    last = path.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([f"--- {name}, last {len(last)} lines ---", *last])
