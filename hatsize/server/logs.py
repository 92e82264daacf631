"""Logs: one line for each event, as text or JSON, with no secret in them.

A traceback is written only for a bug: an exception nobody expected. It carries an id, which is also what the person is
shown, so that the two can be brought together.
"""

import json
import logging
import re
import secrets
import sys
from datetime import UTC, datetime
from typing import IO, Literal

LEVELS = ("debug", "info", "warning", "error")
HIDDEN = "[redacted]"

_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"((?:ts|hs)key-[a-z]+-(?:[0-9A-Za-z_]+-)?)[0-9A-Za-z_-]{8,}+(?![*\[])"), rf"\1{HIDDEN}"),
    (re.compile(r"((?:privkey|nlpriv):)[0-9a-fA-F]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)(?!\[)[0-9A-Za-z._~+/-]{6,}=*"), rf"\1{HIDDEN}"),
    (re.compile(r"([a-z][a-z0-9+.-]*://[^\s/:@'\"]*:)[^\s@'\"]+(?=@)"), rf"\1{HIDDEN}"),
    (
        re.compile(r"(?i)\b((?:client_secret|password|passwd|api_key)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;]+"),
        rf"\1{HIDDEN}",
    ),
)
"""What is secret, and what is left of it: an auth id (`hskey-authreq-`) admits a machine, so it is one too."""

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127)}
"""So that a client cannot forge a line of the log, or speak to the terminal it is read on."""
_PLAIN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def redact(text: str) -> str:
    """The text with every secret in it hidden; what says which kind it was stays."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.123Z info server: listening address=0.0.0.0:8080`."""

    def format(self, record: logging.LogRecord) -> str:
        extras = "".join(f" {key}={_word(value)}" for key, value in _extras(record).items())
        message = record.getMessage().translate(_CONTROLS)
        line = f"{_time(record)} {record.levelname.lower()} {_room(record)}: {message}{extras}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return redact(line)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`, and whatever the event carries."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": _room(record),
            "message": redact(record.getMessage()),
        }
        event |= {key: _plain(value) for key, value in _extras(record).items()}
        if record.exc_info:
            event["traceback"] = redact(self.formatException(record.exc_info))
        return json.dumps(event, ensure_ascii=False)


def configure_logs(
    level: Literal["debug", "info", "warning", "error"], style: Literal["text", "json"], stream: IO[str] | None = None
) -> None:
    """Send the program's logs to a stream, the standard error by default, replacing what was configured before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("hatsize").setLevel(level.upper())


def log_bug(logger: logging.Logger, doing: str, error: BaseException) -> str:
    """Log an exception nobody expected, once, with its traceback; the id to show to the person instead of it."""
    bug = secrets.token_hex(4)
    logger.error("unexpected error while %s", doing, exc_info=error, extra={"bug": bug})
    return bug


def _extras(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _PLAIN_ATTRIBUTES}


def _room(record: logging.LogRecord) -> str:
    return record.name.removeprefix("hatsize.")


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _word(value: object) -> str:
    text = str(value).translate(_CONTROLS)
    return json.dumps(text, ensure_ascii=False) if not text or re.search(r'[\s="]', text) else text


def _plain(value: object) -> object:
    return value if isinstance(value, int | float | bool) or value is None else redact(str(value))
