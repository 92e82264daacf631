"""What is said to people whose settings cannot work, and how secrets are sealed."""

import pytest
from pydantic import ValidationError

from hatsize.hooks.errors import PluginError
from hatsize.testing.memory import MemoryStorage
from hatsize_cluster.database import conninfo
from hatsize_cluster.identity import kept_id
from hatsize_cluster.sealing import new_key, read_key, shared
from hatsize_cluster.settings import Settings


def test_only_postgresql_is_shared():
    for url in ("", "sqlite:///hatsize.db"):
        with pytest.raises(PluginError, match=r"database\.url = postgresql://"):
            conninfo(url)


def test_a_url_is_taken_as_the_storage_takes_it():
    made = conninfo("postgresql+psycopg://hatsize@db.example.com/net?sslmode=require")
    for part in ("host=db.example.com", "dbname=net", "sslmode=require", "target_session_attrs=read-write"):
        assert part in made


def test_what_the_url_says_goes_before_our_own():
    assert "target_session_attrs=any" in conninfo("postgresql://h/d?target_session_attrs=any")


def test_a_bad_url_is_named_without_its_password():
    with pytest.raises(PluginError) as error:
        conninfo("postgresql://user:secret@host/db?nonsense=1")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("address", ["http://10.0.0.1", "10.0.0.1 "])
def test_an_address_is_no_url(address):
    with pytest.raises(ValidationError, match="without a port"):
        Settings(address=address)


def test_a_key_file_has_to_be_named():
    with pytest.raises(PluginError, match=r"plugins\.cluster\.key_file is not set"):
        read_key(None)


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, "ab" * 31])
def test_a_key_has_64_digits(tmp_path, text):
    file = tmp_path / "key"
    file.write_text(text)
    with pytest.raises(PluginError, match="64 hexadecimal digits"):
        read_key(file)


def test_a_missing_key_file_is_named(tmp_path):
    with pytest.raises(PluginError, match="No such file"):
        read_key(tmp_path / "key")


def test_the_first_secret_is_everybodys_and_unreadable_in_the_database(tmp_path):
    storage, key = MemoryStorage(), bytes.fromhex(new_key())
    assert shared(storage, key, "noise", b"the first") == b"the first"
    assert shared(storage, key, "noise", b"the second") == b"the first"
    assert b"the first" not in (storage.read_secret("cluster.noise") or b"")


def test_another_key_is_refused_in_words():
    storage = MemoryStorage()
    shared(storage, bytes.fromhex(new_key()), "noise", b"secret")
    with pytest.raises(PluginError, match="not the one that the other replicas have"):
        shared(storage, bytes.fromhex(new_key()), "noise", b"secret")


def test_a_replica_keeps_its_id(tmp_path):
    known_as = kept_id(tmp_path / "cluster")
    assert len(known_as) == 8
    assert kept_id(tmp_path / "cluster") == known_as
