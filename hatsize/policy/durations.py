"""Durations as Go writes them: `1h30m`, `168h`, `0s`."""

import re
from datetime import timedelta

_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_MAX_SECONDS = 1 << 33


def read_duration(text: str) -> timedelta:
    """The duration. Raises ValueError with Go's text."""
    digits = text.removeprefix("-").removeprefix("+") if len(text) > 1 else text
    parts = list(_PART.finditer(digits))
    if digits != "0" and (not parts or "".join(part[0] for part in parts) != digits or len(digits) > 64):
        raise ValueError(f'time: invalid duration "{text}"')
    seconds = sum(float(part[1]) * _SECONDS[part[2]] for part in parts)
    if seconds > _MAX_SECONDS:
        raise ValueError(f'time: invalid duration "{text}"')
    return timedelta(seconds=-seconds if text.startswith("-") else seconds)


def duration_text(duration: timedelta) -> str:
    """The duration as Go prints it."""
    total = int(duration.total_seconds())
    hours, minutes, seconds = total // 3600, total // 60 % 60, total % 60
    return f"{hours}h{minutes}m{seconds}s" if hours else f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
