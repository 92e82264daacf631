"""The plugin's settings, and that it can be enabled and does no harm."""

import pytest
from pydantic import ValidationError

from hatsize.hooks.auth import FreshLoginProvider
from hatsize.hooks.discovery import find, settings_model
from hatsize.hooks.errors import PluginError
from hatsize.hooks.manager import Plugins
from hatsize_oidc.plugin import OidcPlugin
from hatsize_oidc.presets import PRESETS
from hatsize_oidc.provider import secret_of
from hatsize_oidc.settings import Provider, Settings

PROVIDER = {"name": "work", "issuer": "https://id.example.com", "client_id": "hatsize"}


def test_the_installed_plugin_is_taken(tmp_path):
    plugin = find("oidc").load()
    plugins = Plugins(tmp_path)
    plugins.add(plugin, "oidc", Settings(providers=[PROVIDER, {**PROVIDER, "name": "guests", "ssh_check": False}]))
    assert settings_model(plugin, "oidc") is Settings
    work, guests = plugins.services("login_provider")
    assert (work.name, work.title, guests.title) == ("work", "Log in with work", "Log in with guests")
    assert isinstance(work, FreshLoginProvider)
    assert not isinstance(guests, FreshLoginProvider)


def test_one_provider_alone_may_have_headscales_callback():
    former = {**PROVIDER, "headscale_callback": True}
    assert Settings(providers=[former, {**PROVIDER, "name": "other"}]).providers[0].callback == "/oidc/callback"
    with pytest.raises(ValidationError, match="two providers have headscale_callback"):
        Settings(providers=[former, {**former, "name": "other"}])


def test_without_providers_it_does_no_harm(tmp_path):
    plugins = Plugins(tmp_path)
    plugins.add(OidcPlugin(), "oidc", Settings())
    assert plugins.services("login_provider") == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"client_secret_file": "/nonexistent/secret"},
            "work: cannot read client_secret_file /nonexistent/secret: No such",
        ),
        ({"ca_file": "/nonexistent/ca.pem"}, "work: ca_file /nonexistent/ca.pem: No such file"),
        ({"ca_file": __file__}, "holds no certificate in PEM"),
    ],
)
def test_a_file_that_cannot_be_used_ends_the_start_in_words(tmp_path, given, words):
    with pytest.raises(PluginError, match=words):
        Plugins(tmp_path).add(OidcPlugin(), "oidc", Settings(providers=[{**PROVIDER, **given}]))


def test_a_secret_may_come_from_a_file(tmp_path):
    (tmp_path / "secret").write_text("hunter2\n")
    assert secret_of(Provider(**PROVIDER, client_secret_file=tmp_path / "secret")) == "hunter2"


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_be_used(preset):
    provider = Provider(**{**PROVIDER, "preset": preset})
    assert "openid" in provider.scopes
    assert PRESETS[preset].keys() <= Provider.model_fields.keys()


def test_a_preset_gives_way_to_what_the_settings_say():
    provider = Provider(name="work", preset="google", client_id="hatsize", scopes=["email"])
    assert provider.issuer == "https://accounts.google.com"
    assert provider.authorize == {"access_type": "offline", "prompt": "consent"}
    assert provider.scopes == ("openid", "email")


def test_several_providers_may_be_given():
    settings = Settings(providers=[PROVIDER, {**PROVIDER, "name": "guests"}])
    assert [provider.name for provider in settings.providers] == ["work", "guests"]


@pytest.mark.parametrize(
    ("providers", "words"),
    [
        ([PROVIDER, PROVIDER], "two providers are named 'work'; rename one"),
        ([{**PROVIDER, "issuer": "http://id.example.com"}], "is not an issuer's URL"),
        ([{**PROVIDER, "nmae": "x"}], "nmae"),
        ([{**PROVIDER, "preset": "keyclok"}], "keycloak"),
        ([{**PROVIDER, "client_secret": "s", "client_secret_file": "/s"}], "not both"),
    ],
)
def test_what_cannot_work_is_refused(providers, words):
    with pytest.raises(ValidationError, match=words):
        Settings(providers=providers)


def test_a_client_secret_is_not_shown():
    assert "hunter2" not in repr(Settings(providers=[{**PROVIDER, "client_secret": "hunter2"}]))
