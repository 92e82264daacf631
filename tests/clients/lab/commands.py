"""Commands of the machine, run to their end, with an error that shows what they said."""

import os
import subprocess
from collections.abc import Mapping, Sequence

DEFAULT_DEADLINE = 30.0


class CommandError(AssertionError):
    """A command ended with a code other than 0, or not in time."""


def run(argv: Sequence[str], *, deadline: float = DEFAULT_DEADLINE, env: Mapping[str, str] | None = None) -> str:
    """What the command printed on its standard output; `env` is added to our own variables."""
    variables = {**os.environ, **(env or {})}
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=deadline, env=variables, check=False)
    except subprocess.TimeoutExpired as late:
        raise CommandError(
            f"{_shown(argv)}: not done after {deadline:g} s\n{_text(late.stdout)}{_text(late.stderr)}"
        ) from None
    if done.returncode != 0:
        raise CommandError(f"{_shown(argv)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def succeeds(argv: Sequence[str], *, deadline: float = DEFAULT_DEADLINE) -> bool:
    """Whether the command ends with code 0 in time."""
    try:
        run(argv, deadline=deadline)
    except CommandError:
        return False
    return True


def _shown(argv: Sequence[str]) -> str:
    return " ".join(argv)


def _text(output: bytes | str | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""
