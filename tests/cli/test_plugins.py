"""`hatsize plugins`: what is installed, and plugins made, checked and found wanting."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hatsize.cli.plugin_check import findings, foreign_imports

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("HATSIZE_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def made(tmp_path, hatsize):
    """A new plugin's folder."""
    assert hatsize("plugins", "new", "door-lock", "--in", str(tmp_path)).code == 0
    yield tmp_path / "hatsize-door-lock"
    for module in [name for name in sys.modules if name.startswith("hatsize_door_lock")]:
        del sys.modules[module]


def test_lists_what_is_installed_and_what_enabled_ones_supply(hatsize, monkeypatch):
    monkeypatch.setenv("HATSIZE_PLUGINS_ENABLED", "ldap")
    reports = {each["name"]: each for each in hatsize("plugins", "list", "-o", "json").json}
    assert {"oidc", "ldap", "dns", "metrics"} <= set(reports)
    assert reports["ldap"]["enabled"]
    assert "hatsize_settings" in reports["ldap"]["hooks"]
    assert not reports["dns"]["enabled"]
    assert reports["dns"]["hooks"] == []


def test_the_list_for_people_names_version_and_summary(hatsize):
    out = hatsize("plugins", "list").out
    assert "ldap" in out
    assert "0.1.0" in out
    assert "Active Directory" in out


def test_shows_one(hatsize):
    out = hatsize("plugins", "show", "ldap").out
    assert "ldap 0.1.0 (hatsize-ldap)" in out
    assert "enabled: no" in out
    assert "setting: plugins.ldap.servers" in out


@pytest.mark.parametrize("name", sorted(path.parent.name for path in REPOSITORY.glob("plugins/*/pyproject.toml")))
def test_a_plugin_without_settings_is_shown_and_not_asked_to_work(hatsize, name):
    report = hatsize("plugins", "show", name, "-o", "json").json
    assert report["problem"] == ""
    assert report["hooks"]
    assert report["about"]


def test_one_that_is_not_installed_is_told_with_those_that_are(hatsize):
    result = hatsize("plugins", "show", "ldpa")
    assert result.code == 1
    assert "did you mean 'ldap'?" in result.err


def test_a_new_plugin_is_sound(made, hatsize):
    assert hatsize("plugins", "check", str(made)).out == "ok\n"


@pytest.mark.slow
def test_a_new_plugins_own_tests_pass(made):
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", made], cwd=made, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "3 passed" in run.stdout


@pytest.mark.slow
def test_a_new_plugin_is_as_tidy_as_the_house(made):
    ruff = shutil.which("ruff") or str(Path(sys.executable).parent / "ruff")
    for verb in (["check"], ["format", "--check"]):
        config = ["--config", str(REPOSITORY / "pyproject.toml")]
        run = subprocess.run(
            [ruff, *verb, *config, made / "hatsize_door_lock"], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout


def test_nothing_is_written_over(made, hatsize):
    result = hatsize("plugins", "new", "door-lock", "--in", str(made.parent))
    assert result.code == 1
    assert "exists already" in result.err


@pytest.mark.parametrize("name", ["Door", "1door", "door_lock", "../door", "door-"])
def test_a_name_that_cannot_be_one_is_refused(hatsize, tmp_path, name):
    result = hatsize("plugins", "new", name, "--in", str(tmp_path))
    assert result.code == 2
    assert "is not a plugin's name" in result.err


def rewrite(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("pyproject.toml", '"hatsize>=0.1"', "", "does not depend on hatsize"),
        ("pyproject.toml", 'readme = "README.md"', "", "has no project.readme"),
        ("pyproject.toml", "entry-points.hatsize", "entry-points.other", "announces no plugin"),
        ("pyproject.toml", "[project]", "[project", "pyproject.toml cannot be read"),
        ("hatsize_door_lock/plugin.py", "hatsize_changed", "hatsize_change", "did you mean hatsize_changed?"),
        ("hatsize_door_lock/plugin.py", "hatsize_api", "hatsize_ape", "does not say which hook interface"),
        ("hatsize_door_lock/plugin.py", 'greeting: str = "welcome"', "greeting: str", "give greeting a default"),
        (
            "hatsize_door_lock/plugin.py",
            "import logging",
            "import logging\nimport hatsize.live",
            "imports hatsize.live",
        ),
        ("hatsize_door_lock/plugin.py", "import logging", "import no_such", "cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_what_is_wrong_is_told(made, hatsize, file, old, new, words):
    rewrite(made / file, old, new)
    result = hatsize("plugins", "check", str(made))
    assert result.code == 1
    assert words in result.err


def test_a_plugin_without_tests_is_not_ready(made):
    shutil.rmtree(made / "tests")
    assert findings(made) == ["there are no tests: put some into tests/test_….py"]


def test_a_folder_without_a_project_is_told(tmp_path):
    [finding] = findings(tmp_path)
    assert "has no pyproject.toml" in finding


@pytest.mark.parametrize("folder", sorted(REPOSITORY.glob("plugins/*")) + sorted(REPOSITORY.glob("examples/*/")))
def test_the_repositorys_own_plugins_import_only_what_is_public(folder):
    assert list(foreign_imports(folder)) == []


@pytest.mark.parametrize(
    "words", [["serve"], ["configtest"], ["policy", "get", "--bypass-server-and-access-database-directly"]]
)
def test_a_plugin_that_cannot_be_had_ends_a_command_with_2_and_its_name(hatsize, monkeypatch, words):
    monkeypatch.setenv("HATSIZE_PLUGINS_ENABLED", "odic")
    result = hatsize(*words, "--force")
    assert result.code == 2
    assert "plugin 'odic' is not installed" in result.err + result.out
    assert "Traceback" not in result.err


def test_an_enabled_plugin_adds_its_commands(hatsize, monkeypatch):
    missing = hatsize("metrics", "rules")
    assert (missing.code, "plugin 'metrics' is installed, and not enabled" in missing.err) == (2, True)
    monkeypatch.setenv("HATSIZE_PLUGINS_ENABLED", "metrics")
    assert "alert: HatsizeDown" in hatsize("metrics", "rules").out
    assert '"title": "Hatsize"' in hatsize("metrics", "dashboard").out
