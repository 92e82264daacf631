"""What a machine must have before the lab can run on it."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

DEBIAN_PACKAGES = {
    "ip": "iproute2",
    "nft": "nftables",
    "iptables": "iptables",
    "ping": "iputils-ping",
    "sysctl": "procps",
    "ssh": "openssh-client",
    "unshare": "util-linux",
    "setpriv": "util-linux",
}
"""Debian packages of the commands that every scenario needs."""

FOR_SOME = {
    "slapd": "slapd",
    "samba": "samba",
    "ldapmodify": "ldap-utils",
    "nginx": "nginx-light",
    "caddy": "caddy",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "pg_ctlcluster": "postgresql",
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
    "node": "nodejs",
    "npm": "npm",
    "java": "default-jre-headless",
    "mvn": "maven",
    "named": "bind9",
    "knotd": "knot",
    "haproxy": "haproxy",
    "pdns_server": "pdns-server",
}
"""Those that single tests need, which are skipped without them."""

WITHOUT_COMMANDS = ("samba-ad-provision", "samba-dsdb-modules", "samba-vfs-modules", "pdns-backend-sqlite3")
"""Debian packages of parts that some of these commands do not run without here."""


def missing() -> list[str]:
    """What keeps the lab from running here, in words; empty when nothing does."""
    if sys.platform != "linux":
        return ["Linux"]
    lacks = [] if os.geteuid() == 0 else ["root (network namespaces)"]
    if not Path("/dev/net/tun").exists():
        lacks.append("/dev/net/tun")
    if not shutil.which("go"):
        lacks.append("Go (builds tailscaled)")
    return lacks + [f"the command {name} (Debian package {DEBIAN_PACKAGES[name]})" for name in missing_commands()]


def missing_commands() -> list[str]:
    return [name for name in DEBIAN_PACKAGES if not shutil.which(name)]


def packages_to_install() -> list[str]:
    """The Debian packages that are missing, those of single tests too."""
    commands = {package for name, package in (DEBIAN_PACKAGES | FOR_SOME).items() if not shutil.which(name)}
    return sorted(commands | {package for package in WITHOUT_COMMANDS if not _is_installed(package)})


def _is_installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    with suppress(FileNotFoundError):
        return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"
    return False


def required() -> bool:
    """Whether a machine that cannot run the lab is a failure (`CI=true`) rather than a reason to skip."""
    return os.environ.get("CI", "").lower() in {"1", "true"}
