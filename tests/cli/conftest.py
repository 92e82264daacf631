"""The command line run in this process, and a server that answers what a test tells it to."""

import json
import socketserver
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from hatsize.cli.main import main


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Server:
    """Answers by method and path, and what was asked of it."""

    data_dir: Path
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def answer(self, asked: str, body: Any, status: int = 200) -> None:
        """Answer `GET /user` with a body."""
        self.answers[asked] = (status, body)


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked = f"{self.command} {self.path.removeprefix('/api/v1')}"
            length = int(self.headers.get("Content-Length", 0))
            server.asked.append((asked, json.loads(self.rfile.read(length)) if length else None))
            status, body = server.answers.get(asked, (404, {"title": "Not Found", "detail": f"no answer to {asked}"}))
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def address_string(self) -> str:
            return "local"

        def log_message(self, *_: object) -> None:
            pass

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    return Handler


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    """Nothing of the machine's settings."""
    for name in ("CONFIG", "DATA_DIR", "SERVER_URL", "API_KEY"):
        monkeypatch.delenv(f"HATSIZE_{name}", raising=False)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server that answers at the socket of its data directory, which `HATSIZE_DATA_DIR` names."""
    told = Server(tmp_path)
    monkeypatch.setenv("HATSIZE_DATA_DIR", str(tmp_path))
    with socketserver.ThreadingUnixStreamServer(str(tmp_path / "hatsize.sock"), _handler(told)) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield told
        listening.shutdown()
        thread.join()


@pytest.fixture
def hatsize(monkeypatch, capsys):
    """Run a command line, as `hatsize("users", "list")`."""

    def run(*words: str, stdin: str = "") -> Result:
        monkeypatch.setattr("sys.argv", ["hatsize", *words])
        monkeypatch.setattr("sys.stdin", StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    return run
