"""A real PostgreSQL for tests: from the system's packages, in a directory of its own, on a Unix socket alone."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

START_SECONDS = 30.0
ASK = "HATSIZE_TEST_POSTGRES"
"""Set to 1, or `CI` to true, to install PostgreSQL by apt where it is missing."""


class NoPostgresError(Exception):
    """There is no PostgreSQL here; the message says what to install."""


def programs() -> Path:
    """The directory of `initdb` and `postgres`; NoPostgresError that says how to get them."""
    found = _find()
    if found is None and os.geteuid() == 0 and (os.environ.get(ASK) == "1" or os.environ.get("CI") == "true"):
        _install()
        found = _find()
    if found is None:
        raise NoPostgresError(f"no PostgreSQL: apt install postgresql, or set {ASK}=1 as root to have it installed")
    return found


def _find() -> Path | None:
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if packaged:
        return packaged[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def _install() -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "postgresql"]):
        subprocess.run(["apt-get", "--quiet", *command], env=environment, check=False, capture_output=True)  # noqa: S603, S607


class PostgresServer:
    """A PostgreSQL server that can be stopped, killed and started again. A context that cleans up after itself.

    `durable` keeps fsync on, for measurements; without it only the loss of the machine's power could lose anything.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._bin = programs()
        self._durable = durable
        self._user = _unprivileged()
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self.directory = Path(tempfile.mkdtemp(prefix="hatsize-pg-"))
        self.data = self.directory / "data"

    def __enter__(self) -> Self:
        try:
            if self._user:
                shutil.chown(self.directory, self._user, pwd.getpwnam(self._user).pw_gid)
            self._run("initdb", "-D", str(self.data), "-U", "hatsize", "-A", "trust", "--no-sync", "-E", "UTF8")
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = ["listen_addresses=", "max_connections=60", f"fsync={'on' if self._durable else 'off'}"]
        options = [part for setting in settings for part in ("-c", setting)]
        command = [str(self._bin / "postgres"), "-D", str(self.data), "-k", str(self.directory), *options]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command, stdout=log, stderr=log, user=self._user, cwd="/", start_new_session=True
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop it in good order; open connections are cut."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End every one of its processes at once, as the loss of the machine would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._end(signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://hatsize@/{database}?host={self.directory}"

    def new_database(self) -> str:
        """A URL that leads to an empty place: a schema of its own, which is made sooner than a database."""
        self._databases += 1
        name = f"test{self._databases}"
        self.ask(f"CREATE SCHEMA {name}")
        return f"{self.url()}&options=-csearch_path%3D{name}"

    def ask(self, statement: str) -> str:
        """What a statement of SQL answers, as `psql` prints it bare."""
        where = ("-h", str(self.directory), "-U", "hatsize")
        return self._run("psql", *where, "-qtA", "-c", statement, "postgres").strip()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        asked = [str(self._bin / "pg_isready"), "-q", "-h", str(self.directory)]
        while subprocess.run(asked, check=False).returncode:  # noqa: S603
            if time.monotonic() > deadline or (self._process and self._process.poll() is not None):
                raise NoPostgresError((self.directory / "log").read_text()[-2000:])
            time.sleep(0.05)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(START_SECONDS)

    def _run(self, program: str, *arguments: str) -> str:
        """What a program of PostgreSQL's prints; raises NoPostgresError when it fails."""
        done = subprocess.run(  # noqa: S603
            [str(self._bin / program), *arguments],
            user=self._user,
            cwd="/",
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise NoPostgresError(f"{program}: {done.stderr.strip()}")
        return done.stdout


def _unprivileged() -> str | None:
    """The user to run as: PostgreSQL refuses to be root."""
    if os.geteuid():
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
