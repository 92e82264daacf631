"""What a relay's process may do: become another user, hold many connections."""

import grp
import os
import pwd
import resource

from hatsize.derp.settings import SettingsError


def account_of(user: str) -> pwd.struct_passwd:
    """The system's account of that name; raises SettingsError."""
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise SettingsError(f"there is no user {user!r} to run as") from None


def drop_privileges(user: str) -> None:
    """Become a user and its groups for good; needs root, unless one is that user already."""
    account = account_of(user)
    if os.getuid() == account.pw_uid:
        return
    groups = [group.gr_gid for group in grp.getgrall() if user in group.gr_mem]
    try:
        os.setgroups([account.pw_gid, *groups])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    except PermissionError:
        raise SettingsError(f"only root can become {user!r}: start as root, or as {user!r} without --user") from None


def allow_many_connections() -> None:
    """Use all the open files the system grants; each connection is one, and the usual soft limit is 1024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
