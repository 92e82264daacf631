"""A directory to ask: OpenLDAP's own server, in a process of each module's own."""

import os
import shutil
from datetime import UTC, datetime

import pytest

from hatsize.testing.certificates import self_signed
from hatsize.testing.server import free_port
from hatsize_ldap.directory import Directory
from hatsize_ldap.settings import Settings
from tests.clients.lab import slapd as lab


@pytest.fixture
def now():
    return datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 and its key, by which alone it can be verified."""
    return self_signed(tmp_path_factory.mktemp("tls"), ["127.0.0.1"])


@pytest.fixture(scope="module")
def slapd_factory(tmp_path_factory, certificate):
    """Starts servers, which end with the module."""
    if not shutil.which("slapd") or not shutil.which("ldapadd"):
        reason = "slapd or ldapadd is not there: install the Debian packages slapd and ldap-utils"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    started = []

    def start(**more):
        folder = tmp_path_factory.mktemp("slapd")
        more = {"certificate": certificate, "tls_port": free_port(), **more}
        started.append(lab.Slapd(folder, "127.0.0.1", free_port(), **more))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def company(slapd_factory):
    """A directory with Ann and Bob, a group with Ann in it, and one with that group in it."""
    server = slapd_factory()
    ann = server.add_person("ann", mail="ann@example.com", displayName="Ann Example")
    server.add_person("bob")
    server.add_group("all staff", server.add_group("dev", ann))
    return server


@pytest.fixture
def settings(certificate):
    """Makes settings for servers, with the service account, which verify their certificate."""

    def make(*servers, **more):
        given = {"base_dn": lab.BASE, "bind_dn": lab.SERVICE, "bind_password": lab.PASSWORD, "ca_file": certificate[0]}
        return Settings(servers=[getattr(each, "url", each) for each in servers], **{**given, **more})

    return make


@pytest.fixture
def directory(settings):
    """Makes the directory of such settings."""
    return lambda *servers, **more: Directory(settings(*servers, **more))
