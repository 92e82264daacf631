"""The plugins of a server, as its settings enable them."""

import logging

import pytest

from hatsize.hooks.manager import PluginError
from hatsize.server.plugins import choose_services, load_plugins
from hatsize.server.settings import SettingsError, load_settings


def settings_from(tmp_path, text="", **environ):
    config = tmp_path / "hatsize.toml"
    config.write_text(text)
    return load_settings(config, environ, {"data_dir": tmp_path})


def test_a_server_without_plugins_has_every_service(tmp_path):
    settings = settings_from(tmp_path)
    services = choose_services(load_plugins(settings), settings)
    assert services.storage.name
    assert services.allocator.name == "sequential"
    assert services.deciders[-1].name == "approval"


def test_enabled_plugins_come_after_the_built_in_ones_in_the_settings_order(tmp_path):
    plugins = load_plugins(settings_from(tmp_path, '[plugins]\nenabled = ["ldap", "dns"]\n'))
    assert list(plugins.names)[-2:] == ["ldap", "dns"]


def test_a_plugin_can_be_enabled_by_a_variable(tmp_path):
    assert "dns" in load_plugins(settings_from(tmp_path, HATSIZE_PLUGINS_ENABLED="dns")).names


def test_a_plugin_gets_its_section_checked_by_its_model(tmp_path):
    plugins = load_plugins(
        settings_from(tmp_path, '[plugins]\nenabled = ["dns"]\n[plugins.dns]\nlisten = ["127.0.0.1:5353"]\n')
    )
    assert plugins.settings_of("dns").listen == ("127.0.0.1:5353",)


def test_a_wrong_section_is_told_like_any_setting(tmp_path):
    settings = settings_from(tmp_path, '[plugins]\nenabled = ["dns"]\n[plugins.dns]\nzoned = ["a.example"]\n')
    with pytest.raises(SettingsError, match=r"plugins\.dns\.zoned .*did you mean plugins\.dns\.zones"):
        load_plugins(settings)


def test_one_that_is_not_installed_is_named(tmp_path):
    with pytest.raises(PluginError, match=r"plugin 'odic' is not installed; .*did you mean 'oidc'"):
        load_plugins(settings_from(tmp_path, '[plugins]\nenabled = ["odic"]\n'))


@pytest.mark.parametrize("name", ["policy", "dns"])
def test_one_that_is_there_already_is_named(tmp_path, name):
    with pytest.raises(PluginError, match=f"plugin '{name}' is there already"):
        load_plugins(settings_from(tmp_path, f'[plugins]\nenabled = ["dns", "{name}"]\n'))


def test_settings_of_a_plugin_that_is_not_enabled_are_a_warning(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        load_plugins(settings_from(tmp_path, "[plugins.ldap]\nservers = []\n"))
    assert "settings of plugin ldap are not read" in caplog.text


def test_a_service_that_nobody_supplies_is_named(tmp_path):
    settings = settings_from(tmp_path, '[prefixes]\nallocation = "squential"\n')
    with pytest.raises(PluginError, match="no IP allocator is named 'squential'; there is: random, sequential"):
        choose_services(load_plugins(settings), settings)
