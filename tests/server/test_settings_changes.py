"""What a running server takes of changed settings."""

import pytest

from hatsize.server.settings import Settings
from hatsize.server.settings_changes import AT_START, taking_effect
from hatsize.server.settings_sources import keys_of


def settings(**given):
    return Settings.model_validate(given)


def test_nothing_changed_is_nothing():
    given = {"dns": {"nameservers": {"global": ["9.9.9.9"]}}, "database": {"url": "postgresql://u:secret@h/d"}}
    assert taking_effect(settings(**given), settings(**given)) == (settings(**given), [])


def test_a_change_that_can_take_effect_does():
    new = settings(node={"expiry": "90d"}, trusted_proxies=["10.0.0.0/8"], log={"level": "debug"})
    assert taking_effect(settings(), new) == (new, [])


def test_a_change_that_cannot_is_named_and_left_out():
    new = settings(listen=["127.0.0.1:1"], dns={"base_domain": "other.example", "magic_dns": False})
    in_force, waiting = taking_effect(settings(), new)
    assert waiting == ["listen", "dns.base_domain"]
    assert in_force == settings(dns={"magic_dns": False})


def test_a_plugins_own_settings_wait():
    new = settings(plugins={"enabled": ["metrics"], "metrics": {"listen": ":1"}})
    assert taking_effect(settings(), new) == (settings(), ["plugins"])


def test_another_certificate_file_is_taken_and_the_first_one_waits():
    one, other = ({"tls": {"cert_file": f"/{name}.crt", "key_file": f"/{name}.key"}} for name in ("one", "other"))
    assert taking_effect(settings(**one), settings(**other)) == (settings(**other), [])
    assert taking_effect(settings(), settings(**one)) == (settings(), ["tls"])


@pytest.mark.parametrize("path", AT_START)
def test_what_waits_is_a_setting(path):
    assert any(key == path or key.startswith(path + ".") for key in keys_of(Settings))
