"""The plugin's settings: what they take, and in which words they refuse the rest."""

import pytest
from pydantic import ValidationError

from hatsize.hooks.discovery import find, settings_model
from hatsize.hooks.manager import Plugins
from hatsize_dns.names import plain
from hatsize_dns.settings import Settings

UPDATE = {"zone": "net.example.com", "server": "192.0.2.1", "key": "k", "secret": "c2VjcmV0"}
POOL = {"name": "app.example.com", "addresses": ["192.0.2.1"], "check": "tcp:443"}


def test_the_installed_plugin_is_taken(tmp_path):
    plugin = find("dns").load()
    plugins = Plugins(tmp_path)
    plugins.add(plugin, "dns", settings_model(plugin, "dns")())
    assert "hatsize_register_challenge_publisher" in plugins.hooks_of("dns")
    assert plugins.settings_of("dns") == Settings()
    assert plugins.services("challenge_publisher") == []


def test_without_zones_it_listens_nowhere():
    assert (Settings().places, len(Settings(zones=["net.example.com"]).places)) == ([], 2)


def test_a_zone_may_be_no_more_than_its_name():
    (zone,) = Settings(zones=["Net.Example.com."]).zones
    assert ([plain(origin) for origin in zone.origins], zone.nodes, zone.for_) == (
        ["net.example.com"], "peers", ("everybody",),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("prefix", "origins"),
    [
        ("100.64.0.0/16", ["64.100.in-addr.arpa"]),
        ("192.0.2.0/23", ["2.0.192.in-addr.arpa", "3.0.192.in-addr.arpa"]),
        ("fd7a:115c:a1e0::/48", ["0.e.1.a.c.5.1.1.a.7.d.f.ip6.arpa"]),
    ],
)
def test_a_prefix_stands_for_its_reverse_zones(prefix, origins):
    (zone,) = Settings(zones=[{"name": prefix}]).zones
    assert [plain(origin) for origin in zone.origins] == origins


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"zones": ["com"]}, "'com' is not a domain that can be delegated"),
        ({"zones": ["."]}, "is not a domain that can be delegated"),
        ({"zones": ["a..example.com"]}, "is not a domain name"),
        ({"zones": [{"name": "0.0.0.0/0"}]}, "is too large for reverse zones"),
        ({"zones": [{"name": "10.0.0.1/8"}]}, "is not a prefix"),
        ({"zones": [{"name": "a.example.com", "for": ["friends"]}]}, "'friends' names nobody; give everybody, tailnet"),
        ({"zones": [{"name": "a.example.com", "nodes": "some"}]}, "'all', 'tagged', 'peers', 'own' or 'none'"),
        ({"zones": [{"name": "a.example.com", "colour": "red"}]}, "colour"),
        ({"zones": ["net.example.com"], "listen": []}, "`listen` is empty: nobody could ask for them"),
        ({"listen": ["53"]}, "'53' is not an address and port; give one such as 192.0.2.1:53"),
        ({"listen": ["[::]:99999"]}, "is not an address and port"),
        ({"nameservers": ["a..b"]}, "is not a domain name"),
        ({"pools": [{**POOL, "check": "icmp:1"}]}, "give one such as tcp:443 or http:8080/health"),
        ({"pools": [{**POOL, "check": "tcp:0"}]}, "give one such as tcp:443"),
        ({"pools": [{**POOL, "addresses": ["desk"]}]}, "'desk' does not appear to be an IPv4 or IPv6 address"),
        ({"updates": [{**UPDATE, "secret": "no base64!"}]}, "is not a key in base64; make one with tsig-keygen"),
        ({"updates": [{**UPDATE, "secret": ""}]}, "is not a key in base64"),
        ({"updates": [{**UPDATE, "server": "ns1"}]}, "'ns1' is not an address and port"),
        ({"updates": [{**UPDATE, "zone": "10.0.0.0/8"}]}, "is a prefix; give a domain"),
        ({"providers": [{"zone": "example.com", "provider": "nosuch"}]}, "dns-lexicon knows no provider 'nosuch'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(settings, words):
    with pytest.raises(ValidationError) as refused:
        Settings(**settings)
    assert words in str(refused.value)


def test_secrets_are_not_shown():
    settings = Settings(
        updates=[UPDATE],
        providers=[{"zone": "example.com", "provider": "cloudflare", "options": {"auth_token": "t0ken"}}],
    )
    assert "c2VjcmV0" not in repr(settings)
    assert "t0ken" not in repr(settings)


def test_name_servers_have_port_53_if_they_have_none():
    (update,) = Settings(updates=[{**UPDATE, "watched": ["2001:db8::1", "192.0.2.2:5353"]}]).updates
    assert (update.server, update.watched) == ("192.0.2.1:53", ("[2001:db8::1]:53", "192.0.2.2:5353"))
