"""`hatsize db` on SQLite: looking at the database, copies of it, and moving it."""

import json
import sqlite3
import stat

import pytest

from hatsize.builtin.storage.operations.move import checksum
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.cli import db_progress
from hatsize.server.sole_use import sole_use
from hatsize.testing.contracts.storage_samples import a_node, a_tailnet, a_user, change


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    """A data directory whose database holds something; `HATSIZE_DATA_DIR` names it."""
    monkeypatch.setenv("HATSIZE_DATA_DIR", str(tmp_path / "data"))
    write(tmp_path / "data", [change(a_tailnet(), a_user(), a_node())], 0)
    return tmp_path / "data"


def write(data_dir, changes, expect):
    storage = SqlStorage(database_of("", data_dir))
    storage.open()
    storage.commit(changes, expect)
    storage.close()


def total(file):
    """The checksum of a database's rows."""
    database = database_of(f"sqlite:///{file}", file.parent)
    database.open()
    with database.reading() as connection:
        found = checksum(connection)
    database.close()
    return found


def execute(file, statement):
    with sqlite3.connect(file) as connection:
        connection.execute(statement)
    connection.close()


def test_status_tells_people_what_there_is(hatsize, data_dir):
    told = hatsize("db", "status")
    assert told.code == 0
    assert f"Database: {data_dir}/hatsize.db" in told.out
    assert "this program's" in told.out
    assert told.out.splitlines()[-1].split()[:3] == ["1", "tailnet1.example", "1"]


def test_status_tells_programs_what_there_is(hatsize, data_dir):
    told = hatsize("db", "status", "-o", "json").json
    assert (told["database"], told["engine"], told["current"]) == (f"{data_dir}/hatsize.db", "sqlite", True)
    assert told["tailnets"][0]["rows"]["node"] == 1


@pytest.mark.parametrize("verb", [("status",), ("check",), ("upgrade",), ("backup", "copy.db")])
def test_looking_makes_no_database(hatsize, tmp_path, verb):
    told = hatsize("db", *verb, "--data-dir", str(tmp_path / "none"))
    assert (told.code, told.out) == (1, "")
    assert "is not there; start the server once, or name its --data-dir" in told.err
    assert not (tmp_path / "none").exists()


def test_a_sound_database_passes_the_check(hatsize, data_dir):
    assert hatsize("db", "check").out == "The database is sound.\n"
    assert hatsize("db", "check", "-o", "json").json == {"sound": True, "findings": []}


def test_a_check_that_finds_something_exits_with_1(hatsize, data_dir):
    execute(data_dir / "hatsize.db", "DELETE FROM node")
    found = hatsize("db", "check", "-o", "json")
    assert (found.code, found.json["sound"]) == (1, False)
    told = hatsize("db", "check")
    assert told.code == 1
    assert "tailnet 1: node 1 is in the log, but not there" in told.out


def test_an_upgrade_says_from_where_to_where(hatsize, data_dir):
    assert "already" in hatsize("db", "upgrade").out
    (data_dir / "hatsize.db").unlink()
    (data_dir / "hatsize.db").touch()
    upgraded = hatsize("db", "upgrade", "-o", "json").json
    assert upgraded["from"] is None
    assert upgraded["to"] == hatsize("db", "status", "-o", "json").json["schema"]


def test_a_database_without_tables_is_not_checked(hatsize, data_dir):
    (data_dir / "hatsize.db").unlink()
    (data_dir / "hatsize.db").touch()
    assert "has no schema yet" in hatsize("db", "check").err
    assert "none yet" in hatsize("db", "status").out


def test_a_database_of_a_newer_program_is_refused_in_words(hatsize, data_dir, tmp_path):
    execute(data_dir / "hatsize.db", "UPDATE schema_core SET version_num = '9999'")
    assert "9999, of a newer Hatsize" in hatsize("db", "status").out
    for words in (["db", "upgrade"], ["db", "check"], ["db", "move", "sqlite:///other.db"], ["serve"]):
        refused = hatsize(*words)
        assert refused.code == 1
        assert "was written by a newer Hatsize (schema 9999" in refused.err
        assert "Traceback" not in refused.err


def test_a_backup_is_a_private_file_with_the_same_rows(hatsize, data_dir, tmp_path):
    made = hatsize("db", "backup", str(tmp_path / "copy.db"), "-o", "json").json
    assert made == {"file": str(tmp_path / "copy.db"), "size": (tmp_path / "copy.db").stat().st_size, "left_out": []}
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert total(tmp_path / "copy.db") == total(data_dir / "hatsize.db")


def test_a_backup_into_a_directory_is_named_after_the_time(hatsize, data_dir, tmp_path):
    (tmp_path / "copies").mkdir()
    hatsize("db", "backup", str(tmp_path / "copies"))
    assert [file.name[:8] for file in (tmp_path / "copies").iterdir()] == ["hatsize-"]


def test_a_backup_replaces_a_file_only_when_told_to(hatsize, data_dir, tmp_path):
    copy = tmp_path / "copy.db"
    copy.write_text("precious")
    refused = hatsize("db", "backup", str(copy), stdin="n\n")
    assert (refused.code, copy.read_text()) == (1, "precious")
    assert hatsize("db", "backup", str(copy), "--force").code == 0
    assert total(copy) == total(data_dir / "hatsize.db")


def test_a_backup_never_replaces_the_database(hatsize, data_dir):
    assert "is the database itself" in hatsize("db", "backup", str(data_dir / "hatsize.db"), "--force").err


def test_a_restored_database_is_as_it_was_and_the_other_one_is_kept(hatsize, data_dir, tmp_path):
    database, copy = data_dir / "hatsize.db", tmp_path / "copy.db"
    hatsize("db", "backup", str(copy))
    was = total(database)
    write(data_dir, [change(a_user(2))], 1)
    later = total(database)
    refused = hatsize("db", "restore", str(copy), stdin="n\n")
    assert (refused.code, total(database)) == (1, later)
    assert "Nothing was restored" in refused.err
    done = hatsize("db", "restore", str(copy), "--force")
    assert done.code == 0
    assert "Start the server again" in done.out
    assert total(database) == was == total(copy)
    assert total(data_dir / "hatsize.db.before-restore") == later


def test_a_new_machine_is_restored_to_without_a_question(hatsize, data_dir, tmp_path):
    copy, new = tmp_path / "copy.db", tmp_path / "new"
    hatsize("db", "backup", str(copy))
    done = hatsize("db", "restore", str(copy), "--data-dir", str(new), "-o", "json").json
    assert done == {"restored": str(new / "hatsize.db"), "kept": None}
    assert total(new / "hatsize.db") == total(copy)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "there is no such file"), (b"x" * 9000, "is not an SQLite database")]
)
def test_what_is_no_backup_is_not_restored(hatsize, data_dir, tmp_path, content, words):
    was = total(data_dir / "hatsize.db")
    if content is not None:
        (tmp_path / "copy.db").write_bytes(content)
    refused = hatsize("db", "restore", str(tmp_path / "copy.db"), "--force")
    assert refused.code == 1
    assert words in refused.err
    assert total(data_dir / "hatsize.db") == was


@pytest.mark.parametrize("verb", [("restore", "copy.db", "--force"), ("move", "sqlite:///other.db")])
def test_nothing_is_replaced_or_moved_under_a_running_server(hatsize, data_dir, verb):
    with sole_use(data_dir):
        refused = hatsize("db", *verb)
    assert refused.code == 1
    assert "is in use by another Hatsize process: stop it first" in refused.err
    assert not (data_dir / "other.db").exists()


def test_a_server_elsewhere_on_the_same_file_is_noticed(hatsize, data_dir, tmp_path):
    storage = SqlStorage(database_of("", data_dir))
    storage.open()
    for verb in (("restore", str(data_dir / "hatsize.db")), ("move", "sqlite:///other.db")):
        assert "another process has it open; stop it first" in hatsize("db", *verb, "--force").err
    storage.close()


def test_a_move_tells_where_to_point_the_settings(hatsize, data_dir):
    moved = hatsize("db", "move", "sqlite:///other.db")
    assert moved.code == 0
    assert 'Put database.url = "sqlite:///other.db" into the settings' in moved.out
    assert total(data_dir / "other.db") == total(data_dir / "hatsize.db")


def test_a_move_tells_programs_the_checksum(hatsize, data_dir):
    moved = hatsize("db", "move", "sqlite:///other.db", "-o", "json").json
    assert (moved["rows"]["node"], moved["checksum"]) == (1, total(data_dir / "hatsize.db"))


def test_tables_of_plugins_are_named_where_they_are_left_out(hatsize, data_dir):
    execute(data_dir / "hatsize.db", "CREATE TABLE pets (name text)")
    assert "Others:   pets\n" in hatsize("db", "status").out
    moved = hatsize("db", "move", "sqlite:///other.db")
    assert moved.out.endswith("Left out, as they are not Hatsize's own: pets.\n")
    assert hatsize("db", "status", "-o", "json").json["other_tables"] == ["pets"]


def test_a_copy_of_the_file_has_tables_of_plugins_too(hatsize, data_dir, tmp_path):
    execute(data_dir / "hatsize.db", "CREATE TABLE pets (name text)")
    assert hatsize("db", "backup", str(tmp_path / "copy.db"), "-o", "json").json["left_out"] == []
    execute(tmp_path / "copy.db", "INSERT INTO pets VALUES ('rex')")


@pytest.mark.parametrize(
    ("url", "words", "code"),
    [
        ("sqlite:///hatsize.db", "is the one in use; name another", 1),
        ("mysql://u:hunter2@db/x", "mysql is not known; there is: sqlite, postgresql", 1),
        ("other.db", "is not a URL; give one such as", 2),
    ],
)
def test_a_move_to_where_none_can_go_is_refused(hatsize, data_dir, url, words, code):
    refused = hatsize("db", "move", url)
    assert refused.code == code
    assert words in refused.err
    assert "hunter2" not in refused.err


def test_a_move_never_mixes_two_databases(hatsize, data_dir):
    hatsize("db", "move", "sqlite:///other.db")
    assert "is not empty" in hatsize("db", "move", "sqlite:///other.db").err


def test_a_refusal_is_json_for_programs(hatsize, data_dir):
    refused = hatsize("db", "move", "sqlite:///hatsize.db", "-o", "json")
    assert "is the one in use" in json.loads(refused.err)["error"]


def test_a_terminal_is_shown_how_far_it_is(hatsize, data_dir, monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with db_progress.progress() as told:
        told("copy node", 1, 2)
        told("copy node", 2, 2)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "copy node" in shown.err
    assert "2/2" in shown.err
