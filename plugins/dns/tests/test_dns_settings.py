"""The plugin's settings, and that it can be enabled and does no harm."""

import pytest
from pydantic import ValidationError

from hatsize.hooks.discovery import find, settings_model
from hatsize.hooks.manager import Plugins
from hatsize_dns.settings import Settings


def test_the_installed_plugin_is_taken():
    plugin = find("dns").load()
    plugins = Plugins()
    plugins.add(plugin, "dns", settings_model(plugin, "dns")())
    assert plugins.hooks_of("dns") == ["hatsize_settings"]
    assert plugins.settings_of("dns") == Settings()


def test_zones_are_kept_without_their_dot_and_in_lower_case():
    assert Settings(zones=["Net.Example.com."]).zones == ("net.example.com",)


@pytest.mark.parametrize("zone", ["com", "a b.example.com", "."])
def test_what_cannot_be_delegated_is_refused(zone):
    with pytest.raises(ValidationError, match="is not a domain that can be delegated"):
        Settings(zones=[zone])
