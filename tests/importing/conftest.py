"""Databases of other generations, made from SQL, and a Headscale configuration that names them."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hatsize.importing.configuration import Configuration, read_configuration
from hatsize.importing.database import read_tables
from hatsize.importing.findings import Findings
from hatsize.importing.plan import plan_of
from hatsize.importing.settings import settings_of
from hatsize.importing.terms import Terms
from hatsize.importing.toml import as_toml
from hatsize.server.settings import load_settings

SCHEMAS = Path(__file__).parent / "schemas"
RELEASED = Path(__file__).parents[3] / "shared" / "headscale-databases"
NOW = datetime(2026, 3, 4, tzinfo=UTC)


def database(directory, dump):
    """A database file made from a dump."""
    path = directory / "db.sqlite"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.executescript(dump.read_text())
    connection.close()
    return path


@pytest.fixture
def planned(tmp_path):
    """The plan for a dump by its name."""

    def plan(name, **keys):
        path = database(tmp_path, SCHEMAS / f"{name}.sql")
        tree = {"policy": {"mode": "database"}, "dns": {"base_domain": "tail.example.com"}, **keys}
        configuration = Configuration(tree, tmp_path / "config.yaml")
        return plan_of(read_tables(str(path)), configuration, Terms(NOW, "https://id.example.com/realms/main"))

    return plan


@pytest.fixture
def released(tmp_path):
    """The tables of a dump of a released schema by its name; skips where the dumps are not there."""

    def tables(name):
        dump = RELEASED / f"{name}.sql"
        if not dump.exists():
            pytest.skip(f"the dumps of released schemas are not at {RELEASED}")
        return read_tables(str(database(tmp_path, dump)))

    return tables


@pytest.fixture
def mapped(tmp_path):
    """The settings that a configuration comes to, loaded as a server would, and what is told of it."""

    def settings_and_findings(text, **environ):
        findings = Findings()
        (tmp_path / "config.yaml").write_text(text)
        tree = settings_of(read_configuration(tmp_path / "config.yaml", environ), findings)
        (tmp_path / "hatsize.toml").write_text(as_toml(tree))
        told = [f"{each.what}: {each.text}" for each in findings.told]
        return load_settings(tmp_path / "hatsize.toml", environ={}), told

    return settings_and_findings
