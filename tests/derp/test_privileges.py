"""What a relay's process may do."""

import os
import pwd
import resource

import pytest

from hatsize.derp.privileges import allow_many_connections, drop_privileges
from hatsize.derp.settings import SettingsError


def test_an_unknown_user_is_named():
    with pytest.raises(SettingsError, match="no user 'nobody-of-that-name'"):
        drop_privileges("nobody-of-that-name")


def test_one_is_that_user_already():
    drop_privileges(pwd.getpwuid(os.getuid()).pw_name)


def test_groups_go_first_and_the_user_last(monkeypatch):
    calls = []
    for name in ("setgroups", "setgid", "setuid"):
        monkeypatch.setattr(os, name, lambda value, name=name: calls.append((name, value)))
    monkeypatch.setattr(os, "getuid", lambda: 0)
    nobody = pwd.getpwnam("nobody")
    drop_privileges("nobody")
    assert [name for name, _ in calls] == ["setgroups", "setgid", "setuid"]
    assert calls[1:] == [("setgid", nobody.pw_gid), ("setuid", nobody.pw_uid)]


def test_only_root_can(monkeypatch):
    def refuse(_groups):
        raise PermissionError

    monkeypatch.setattr(os, "setgroups", refuse)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(SettingsError, match="only root"):
        drop_privileges("nobody")


def test_all_files_the_system_grants_are_used(monkeypatch):
    limits = []
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (1024, 524288))
    monkeypatch.setattr(resource, "setrlimit", lambda _what, both: limits.append(both))
    allow_many_connections()
    assert limits == [(524288, 524288)]
