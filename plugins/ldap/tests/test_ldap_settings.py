"""The plugin's settings, and that it can be enabled and does no harm."""

import pytest
from pydantic import ValidationError

from hatsize.hooks.discovery import find, settings_model
from hatsize.hooks.manager import Plugins
from hatsize_ldap.settings import Settings


def test_the_installed_plugin_is_taken():
    plugin = find("ldap").load()
    plugins = Plugins()
    plugins.add(plugin, "ldap", settings_model(plugin, "ldap")())
    assert plugins.hooks_of("ldap") == ["hatsize_settings"]
    assert plugins.settings_of("ldap") == Settings()


def test_several_servers_may_be_given():
    assert Settings(servers=["ldaps://a.example.com", "ldap://b.example.com"]).start_tls


@pytest.mark.parametrize(
    ("given", "words"),
    [({"servers": ["a.example.com"]}, "is not a directory's address"), ({"base_dm": "dc=example"}, "base_dm")],
)
def test_what_cannot_work_is_refused(given, words):
    with pytest.raises(ValidationError, match=words):
        Settings(**given)


def test_the_password_is_not_shown():
    assert "hunter2" not in repr(Settings(bind_password="hunter2"))
