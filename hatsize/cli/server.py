"""The server a command talks to: through its Unix socket, or over HTTPS with an API key. Standard library alone."""

import json
import os
import socket
import ssl
import tomllib
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from hatsize.cli.failures import Failure, Refused, Unanswered
from hatsize.cli.invocation import invocation
from hatsize.cli.server_trust import https_connection, untrusted
from hatsize.server.settings_paths import SOCKET_NAME, default_data_dir

TIMEOUT = 60.0


class SocketConnection(HTTPConnection):
    """HTTP through a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("local", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(method: str, path: str, body: Any = None, **query: str) -> Any:
    """Carry out an operation of API v1, `path` being what follows `/api/v1`; raises Refused with the server's words."""
    return _asked(method, f"/api/v1{path}" + (f"?{urlencode(query)}" if query else ""), body)


def ask_v2(method: str, path: str, body: Any = None) -> Any:
    """The same of API v2, for what is there alone; `path` is what follows `/api/v2/tailnet/-`."""
    return _asked(method, f"/api/v2/tailnet/-{path}", body)


def _asked(method: str, target: str, body: Any) -> Any:
    """What a server answers; the versions of its API tell their refusals in words of their own."""
    content = None if body is None else json.dumps(body).encode()
    status, answer = _exchange(method, target, content)
    if status != 200:
        told = (answer.get(name) for name in ("message", "detail", "title"))
        words = next(filter(None, told), f"the server answered with status {status}")
        raise Refused(words, answer.get("data") or ())
    return answer


def part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


def data_dir() -> Path:
    """The local server's data directory: `--data-dir`, the settings file's, or the default one."""
    given = invocation()
    if given.data_dir is not None:
        return given.data_dir
    if given.config is not None:
        return _configured_data_dir(given.config) or default_data_dir()
    return default_data_dir()


def _configured_data_dir(config: Path) -> Path | None:
    try:
        with config.open("rb") as file:
            found = tomllib.load(file).get("data_dir")
    except OSError as error:
        raise Failure(f"{config} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure(f"{config} is not TOML: {error}") from error
    return Path(found) if isinstance(found, str) else None


def _exchange(method: str, target: str, content: bytes | None) -> tuple[int, dict[str, Any]]:
    """Send a request and read its answer; raises Failure when there is none."""
    connection, headers, where = _connection()
    if content is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(method, target, content, headers)
        response = connection.getresponse()
        return response.status, _object(response.read(), where)
    except PermissionError as error:
        raise Failure(f"{where} is not for you: run this as the user who runs the server") from error
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise Unanswered(_nobody_there(where)) from error
    except ssl.SSLCertVerificationError as error:
        raise untrusted(where, connection.host, connection.port, TIMEOUT, error) from error
    except TimeoutError as error:
        raise Failure(f"{where} did not answer within {TIMEOUT:.0f} seconds: see the server's log") from error
    except (OSError, HTTPException) as error:
        raise Failure(f"{where} cannot be asked: {error}") from error
    finally:
        connection.close()


def _connection() -> tuple[HTTPConnection, dict[str, str], str]:
    """A connection, the headers it needs, and how to name it."""
    url, key = os.environ.get("HATSIZE_SERVER_URL", ""), os.environ.get("HATSIZE_API_KEY", "")
    if not (url and key):
        path = data_dir() / SOCKET_NAME
        return SocketConnection(path), {}, str(path)
    parts = urlsplit(url if "://" in url else f"https://{url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Failure(f"HATSIZE_SERVER_URL={url} is not a URL: give one such as https://hatsize.example.com")
    make = https_connection if parts.scheme == "https" else HTTPConnection
    return make(parts.hostname, parts.port, timeout=TIMEOUT), {"Authorization": f"Bearer {key}"}, parts.geturl()


def _nobody_there(where: str) -> str:
    if where.endswith(SOCKET_NAME):
        return (
            f"no server answers at {where}: start one with `hatsize serve`, name its directory with --data-dir, "
            "or set HATSIZE_SERVER_URL and HATSIZE_API_KEY for one elsewhere"
        )
    return f"no server answers at {where}: check HATSIZE_SERVER_URL"


def _object(raw: bytes, where: str) -> dict[str, Any]:
    try:
        found = json.loads(raw or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Failure(f"{where} answered with something else than JSON: is a Hatsize server there?")
    return found
