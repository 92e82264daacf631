"""The examples are plugins that could be published, and their own tests pass."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hatsize.cli.plugin_check import findings

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in REPOSITORY.glob("examples/*/pyproject.toml"))


def run(*command, cwd=REPOSITORY, **environ):
    done = subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_is_one_for_each_kind_of_need():
    assert {path.name for path in EXAMPLES} >= {
        "hatsize-address-book",
        "hatsize-http-auth",
        "hatsize-journal-storage",
        "hatsize-policy-source",
    }


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_it_is_ready_to_be_published(example):
    assert findings(example) == []


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_its_own_tests_pass(example):
    run(sys.executable, "-m", "pytest", "-q", cwd=example)


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_its_types_hold(example):
    package = next(example.glob("hatsize_*/__init__.py")).parent.name
    run(sys.executable, "-m", "mypy", "--strict", "--python-version=3.11", package, cwd=example, MYPYPATH=".")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_wheels_work_in_a_plain_environment(tmp_path):
    uv = Path(sys.executable).parent / "uv"
    if not uv.exists():
        pytest.skip("uv is not there: make install")
    sources = [REPOSITORY, *sorted(path.parent for path in REPOSITORY.glob("plugins/*/pyproject.toml")), *EXAMPLES]
    for source in sources:
        run(uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path / "wheels", source)
    python = tmp_path / "plain" / "bin" / "python"
    run(uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "plain")
    run(uv, "pip", "install", "--quiet", "--python", python, *sorted((tmp_path / "wheels").glob("*.whl")))
    names = ["oidc", "ldap", "dns", "metrics", "address-book", "http-auth", "policy-source", "journal-storage"]
    plain = {"HATSIZE_PLUGINS_ENABLED": ",".join(names), "HATSIZE_DATA_DIR": str(tmp_path / "data")}
    assert run(python.parent / "hatsize", "configtest", cwd=tmp_path, **plain).strip() == "ok"
    listed = run(python.parent / "hatsize", "plugins", "list", cwd=tmp_path, **plain)
    assert all(name in listed for name in names)
    assert "no" not in [row.split()[2] for row in listed.splitlines() if row.split()[:1] and row.split()[0] in names]
