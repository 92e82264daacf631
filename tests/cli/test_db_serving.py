"""`hatsize db` beside a server that runs, and between SQLite and PostgreSQL, all as people start them."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hatsize.testing.server import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

HATSIZE = str(Path(sys.executable).with_name("hatsize"))


class Installation:
    """A data directory with the command line for it."""

    def __init__(self, data_dir, url=""):
        plain = {name: value for name, value in os.environ.items() if not name.startswith("HATSIZE_")}
        self.environ = plain | {"HATSIZE_DATA_DIR": str(data_dir), "HATSIZE_STUN_ENABLED": "false"}
        self.data_dir = data_dir
        self.process = None
        self.at(url)

    def at(self, url):
        self.environ["HATSIZE_DATABASE_URL"] = url

    def start(self):
        command = [HATSIZE, "serve", "--listen", f"127.0.0.1:{free_port()}"]
        self.process = subprocess.Popen(command, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert b"Hatsize serves" in self.process.stdout.readline()

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.communicate(timeout=20)
            assert self.process.returncode == 0
            self.process = None

    def run(self, *words):
        done = subprocess.run([HATSIZE, *words, "-o", "json"], env=self.environ, capture_output=True, text=True)  # noqa: PLW1510
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout if done.returncode == 0 else done.stderr)

    def users(self):
        return [user["name"] for user in self.run("users", "list")]


@pytest.fixture
def installed(tmp_path):
    made = []

    def install(url="", name="data"):
        made.append(Installation(tmp_path / name, url))
        return made[-1]

    yield install
    for one in made:
        if one.process is not None:
            one.process.kill()
            one.process.communicate()


def names_in(file):
    connection = sqlite3.connect(file)
    found = [name for (name,) in connection.execute('SELECT name FROM "user" ORDER BY id')]
    connection.close()
    return found


def test_a_backup_is_taken_while_users_are_made(installed, tmp_path):
    here = installed()
    here.start()
    here.run("users", "create", "before")
    ended = threading.Event()

    def keep_making_users():
        number = 0
        while not ended.is_set():
            here.run("users", "create", f"user{number}")
            number += 1

    maker = threading.Thread(target=keep_making_users)
    maker.start()
    try:
        for number in range(2):
            here.run("db", "backup", str(tmp_path / f"{number}.db"))
    finally:
        ended.set()
        maker.join()
    everybody = here.users()
    here.stop()
    for number in range(2):
        copied = names_in(tmp_path / f"{number}.db")
        assert copied[:2] == ["default", "before"]
        assert copied == everybody[: len(copied)]
        there = installed(name=f"restored{number}")
        there.run("db", "restore", str(tmp_path / f"{number}.db"))
        assert there.run("db", "check")["sound"]
        there.start()
        assert there.users() == copied
        there.stop()


def test_a_running_server_keeps_its_database(installed, tmp_path):
    here = installed()
    here.start()
    here.run("db", "backup", str(tmp_path / "copy.db"))
    for words in (("restore", str(tmp_path / "copy.db"), "--force"), ("move", "sqlite:///other.db")):
        assert "is in use by another Hatsize process: stop it first" in here.run("db", *words)["error"]
    assert here.run("db", "check")["sound"]
    here.process.kill()
    here.process.communicate()
    here.process = None
    assert here.run("db", "restore", str(tmp_path / "copy.db"), "--force")["kept"]


def test_a_second_server_on_a_directory_is_refused(installed):
    here = installed()
    here.start()
    again = subprocess.run([HATSIZE, "serve"], env=here.environ, capture_output=True, text=True, timeout=30)  # noqa: PLW1510
    assert again.returncode == 1
    assert "is in use by another Hatsize process" in again.stderr
    assert here.users() == ["default"]
    here.stop()


@pytest.mark.postgres
def test_a_server_moves_to_postgresql_and_back(installed, postgres_server):
    here, url = installed(), postgres_server.new_database()
    here.start()
    here.run("users", "create", "anna")
    here.stop()
    there = here.run("db", "move", url)
    assert there["rows"]["user"] == 2
    here.at(url)
    here.start()
    here.run("users", "create", "otto")
    assert here.users() == ["default", "anna", "otto"]
    assert here.run("db", "status")["engine"] == "postgresql"
    here.stop()
    back = here.run("db", "move", "sqlite:///back.db")
    assert back["rows"]["user"] == 3
    here.at("sqlite:///back.db")
    here.start()
    assert here.users() == ["default", "anna", "otto"]
    assert here.run("db", "check")["sound"]
    here.stop()


@pytest.mark.postgres
def test_a_database_that_replicas_serve_from_is_not_moved(installed, postgres_server):
    url = postgres_server.new_database()
    one, two = installed(url), installed(url, "other")
    one.start()
    refused = two.run("db", "move", "sqlite:///copy.db")
    assert "other processes are connected to it; stop every server on it first" in refused["error"]
    one.stop()
    assert two.run("db", "move", "sqlite:///copy.db")["rows"]["user"] == 1


@pytest.mark.postgres
def test_postgresql_is_backed_up_while_it_is_served_from_and_restored(installed, postgres_server, tmp_path):
    here = installed(postgres_server.new_database())
    here.start()
    here.run("users", "create", "anna")
    assert here.run("db", "backup", str(tmp_path / "copy.db"))["left_out"] == []
    here.stop()
    assert names_in(tmp_path / "copy.db") == ["default", "anna"]
    assert "is not empty" in here.run("db", "restore", str(tmp_path / "copy.db"))["error"]
    here.at(postgres_server.new_database())
    assert here.run("db", "restore", str(tmp_path / "copy.db"))["checksum"]
    here.start()
    assert here.users() == ["default", "anna"]
    here.stop()


@pytest.mark.postgres
def test_a_postgresql_that_is_away_is_told_in_words(installed, tmp_path):
    here = installed(f"postgresql://hatsize:hunter2@/x?host={tmp_path}")
    begun = time.monotonic()
    told = here.run("db", "status")["error"]
    assert "the server cannot be reached" in told
    assert "hunter2" not in told
    assert time.monotonic() - begun < 15
