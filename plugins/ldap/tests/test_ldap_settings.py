"""The plugin's settings, and that it can be enabled and does no harm."""

import pytest
from pydantic import ValidationError

from hatsize.hooks.discovery import find, settings_model
from hatsize.hooks.manager import Plugins
from hatsize_ldap.schemas import PRESETS, schema_of
from hatsize_ldap.settings import GroupLookup, Settings

SERVERS = {"servers": ["ldaps://a.example.com"], "base_dn": "dc=example,dc=com"}


def test_the_installed_plugin_is_taken_and_without_servers_lets_nobody_in():
    plugin = find("ldap").load()
    plugins = Plugins()
    plugins.add(plugin, "ldap", settings_model(plugin, "ldap")())
    assert "hatsize_register_password_provider" in plugins.hooks_of("ldap")
    assert plugins.services("password_provider") == []
    assert plugins.settings_of("ldap") == Settings()


def test_several_servers_may_be_given():
    assert Settings(servers=["ldaps://a.example.com", "ldap://b.example.com"], base_dn="dc=example").start_tls


def test_lists_may_be_given_as_text_as_in_a_variable():
    given = Settings(servers="ldaps://a.example.com, ldap://b.example.com:3389", base_dn="dc=example")
    assert given.servers == ("ldaps://a.example.com", "ldap://b.example.com:3389")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"servers": ["a.example.com"]}, "is not a directory's address"),
        ({"servers": ["https://a.example.com"]}, "is not a directory's address"),
        ({"servers": ["ldap://a.example.com:port"]}, "is not a directory's address"),
        ({"servers": ["ldap://a.example.com/dc=example"]}, "give it as base_dn"),
        ({"servers": ["ldap://a.example.com"]}, "base_dn is missing"),
        ({"base_dm": "dc=example"}, "base_dm"),
        ({"bind_dn": "cn=service"}, "bind_password is missing"),
        ({"user_dn": "uid=ann"}, "has no {username} in it"),
        ({"user_dn": "uid={username},{ou}"}, "has no {username} in it"),
        ({"user_filter": "uid=*"}, "is not a filter"),
        ({"user_filter": "(uid=*"}, "is not a filter"),
        ({"groups": "guess"}, "member-of"),
        ({"suspend_at_most_percent": 101}, "less than or equal to 100"),
    ],
)
def test_what_cannot_work_is_refused(given, words):
    with pytest.raises(ValidationError, match=words):
        Settings(**given)


@pytest.mark.parametrize(
    ("given", "followed"),
    [
        ({}, True),
        ({"user_dn": "uid={username},dc=example"}, False),
        ({"user_dn": "uid={username},dc=example", "bind_dn": "cn=service", "bind_password": "x"}, True),
        ({"sync_interval_seconds": 0}, False),
    ],
)
def test_users_are_followed_where_somebody_can_look_them_up(given, followed):
    assert Settings(**given).follows_users is followed


def test_the_password_is_not_shown():
    assert "hunter2" not in repr(Settings(bind_dn="cn=service", bind_password="hunter2"))


@pytest.mark.parametrize("name", PRESETS)
def test_each_kind_of_directory_has_its_names(name):
    assert schema_of(Settings(login_schema=name)) == PRESETS[name]


def test_what_is_set_goes_before_the_kind_of_directory():
    given = Settings(login_schema="active-directory", groups="member", login_attributes=["mail"], user_filter="(cn=*)")
    schema = schema_of(given)
    assert (schema.groups, schema.login_attributes, schema.user_filter) == (GroupLookup.MEMBER, ("mail",), "(cn=*)")
    assert schema.id_attribute == "objectGUID"
