"""The plugin's settings, and that it can be enabled and does no harm."""

import pytest
from pydantic import ValidationError

from hatsize.hooks.discovery import find, settings_model
from hatsize.hooks.manager import Plugins
from hatsize_oidc.settings import Settings


def test_the_installed_plugin_is_taken():
    plugin = find("oidc").load()
    plugins = Plugins()
    plugins.add(plugin, "oidc", settings_model(plugin, "oidc")())
    assert plugins.hooks_of("oidc") == ["hatsize_settings"]
    assert plugins.settings_of("oidc") == Settings()


PROVIDER = {"name": "work", "issuer": "https://id.example.com", "client_id": "hatsize"}


def test_several_providers_may_be_given():
    settings = Settings(providers=[PROVIDER, {**PROVIDER, "name": "guests"}])
    assert [provider.name for provider in settings.providers] == ["work", "guests"]


@pytest.mark.parametrize(
    ("providers", "words"),
    [
        ([PROVIDER, PROVIDER], "two providers are named 'work'; rename one"),
        ([{**PROVIDER, "issuer": "http://id.example.com"}], "is not an issuer's URL"),
        ([{**PROVIDER, "nmae": "x"}], "nmae"),
    ],
)
def test_what_cannot_work_is_refused(providers, words):
    with pytest.raises(ValidationError, match=words):
        Settings(providers=providers)


def test_a_client_secret_is_not_shown():
    assert "hunter2" not in repr(Settings(providers=[{**PROVIDER, "client_secret": "hunter2"}]))
