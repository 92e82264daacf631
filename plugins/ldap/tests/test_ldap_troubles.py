"""Servers that are down, slow, not whom they say, or that refer to others."""

import socket
import threading
import time

import pytest

from hatsize.hooks.errors import PluginError
from hatsize.testing.server import free_port
from hatsize_ldap.errors import DirectoryError, UnreachableError
from hatsize_ldap.tls import context
from tests.clients.lab import slapd as lab

pytestmark = pytest.mark.slow


@pytest.fixture
def nobody():
    """The address of a server that is down."""
    return f"ldap://127.0.0.1:{free_port()}"


@pytest.fixture
def silent():
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"ldap://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def babbling():
    """Makes addresses of servers that answer with these bytes, and hang up."""
    listeners = []

    def serve(answer):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1000)
                    connection.sendall(answer)

        threading.Thread(target=run, daemon=True).start()
        return f"ldap://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


# Down and slow.


def test_a_server_that_is_down_is_named_with_the_reason(directory, nobody, now):
    with pytest.raises(UnreachableError, match=f"{nobody}: Connection refused"):
        directory(nobody).authenticate("ann", "ann-secret", now)


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_a_server_that_says_nothing_is_given_up(directory, silent, now, scheme):
    before = time.monotonic()
    with pytest.raises(UnreachableError, match="timed out"):
        directory(silent.replace("ldap", scheme), timeout_seconds=1).authenticate("ann", "ann-secret", now)
    assert time.monotonic() - before < 3


@pytest.mark.parametrize("start_tls", [True, False])
@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes.fromhex("3003020101"), b"\x30\x84\xff\xff\xff\xff", b"\x00" * 100],
)
def test_a_server_that_babbles_lets_nobody_in(directory, babbling, now, answer, start_tls):
    with pytest.raises(DirectoryError):
        directory(babbling(answer), start_tls=start_tls).authenticate("ann", "ann-secret", now)


def test_the_next_server_is_asked_where_one_is_down(directory, company, nobody, now, caplog):
    assert directory(nobody, company).authenticate("ann", "ann-secret", now).name == "ann"
    assert f"asked {company.url} in place of: {nobody}" in caplog.text


def test_a_server_that_was_down_is_asked_last_for_a_while(directory, company, silent, now):
    asked = directory(silent, company, timeout_seconds=1)
    asked.find("ann", now)
    before = time.monotonic()
    assert asked.find("ann", now).name == "ann"
    assert time.monotonic() - before < 0.9
    assert [str(address) for address in asked.servers.addresses] == [company.url, silent]


def test_all_servers_that_are_down_are_named(directory, nobody, silent, now):
    with pytest.raises(UnreachableError, match=f"{nobody}.*{silent}"):
        directory(nobody, silent, timeout_seconds=1).find("ann", now)


def test_a_server_that_comes_back_is_asked_again(directory, slapd_factory, now):
    company = slapd_factory()
    company.add_person("ann")
    asked = directory(company)
    company.stop()
    with pytest.raises(UnreachableError):
        asked.find("ann", now)
    company.start()
    assert asked.find("ann", now).name == "ann"


# Not whom they say.


@pytest.mark.parametrize("scheme", ["url", "ldaps_url"])
def test_a_certificate_that_nobody_vouches_for_ends_it(directory, company, now, scheme):
    with pytest.raises(UnreachableError, match="certificate verify failed: self-signed certificate"):
        directory(getattr(company, scheme), ca_file=None).authenticate("ann", "ann-secret", now)


@pytest.mark.parametrize("scheme", ["url", "ldaps_url"])
def test_a_certificate_for_another_name_ends_it(directory, company, now, scheme):
    address = getattr(company, scheme).replace("127.0.0.1", "localhost")
    with pytest.raises(UnreachableError, match="Hostname mismatch"):
        directory(address).authenticate("ann", "ann-secret", now)


def test_a_server_without_tls_is_told_no_password(directory, slapd_factory, now):
    company = slapd_factory(certificate=None, tls_port=0)
    with pytest.raises(UnreachableError, match=r"startTLS failed.*give ldaps://"):
        directory(company).authenticate("ann", "ann-secret", now)


def test_a_server_that_says_yes_to_tls_and_does_not_begin_it_is_told_nothing(directory, babbling, now):
    yes = bytes.fromhex("300c02010178070a010004000400")
    with pytest.raises(UnreachableError):
        directory(babbling(yes)).authenticate("ann", "ann-secret", now)


def test_certificates_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(PluginError, match=r"ca_file = .*missing\.pem: No such file"):
        context(tmp_path / "missing.pem")
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(PluginError, match="no certificates in it"):
        context(tmp_path / "empty.pem")


def test_a_service_account_that_is_not_let_in_is_named(directory, company, now):
    with pytest.raises(DirectoryError, match=r"does not let 'cn=hatsize.*see bind_dn and bind_password"):
        directory(company, bind_password="wrong").authenticate("ann", "ann-secret", now)


# Referrals.


@pytest.fixture(scope="module")
def west(slapd_factory):
    """Another server, which has the people of the west."""
    server = slapd_factory()
    server.add(f"dn: ou=west,{lab.PEOPLE}\nobjectClass: organizationalUnit\n")
    server.add(
        f"dn: uid=wanda,ou=west,{lab.PEOPLE}\nobjectClass: inetOrgPerson\nsn: w\ncn: w\nuid: wanda\n"
        "userPassword: wanda-secret\n"
    )
    return server


@pytest.fixture(scope="module")
def east(slapd_factory, west):
    """A server that refers to it for the west."""
    server = slapd_factory()
    server.add_person("ann")
    server.add(
        f"dn: ou=west,{lab.PEOPLE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: west\n"
        f"ref: {west.url}/ou=west,{lab.PEOPLE}\n"
    )
    return server


def test_referrals_are_not_followed_unasked(directory, east, now):
    assert directory(east).find("ann", now).name == "ann"
    assert directory(east).find("wanda", now) is None


def test_what_is_not_followed_is_told_of(directory, east, west):
    asked = directory(east)
    [skipped] = asked.servers.ask(lambda session: asked.look(session) or session.skipped or ["none"])
    assert skipped.startswith(west.url) or skipped == "none"


def test_referrals_to_named_hosts_are_followed_for_lookups_and_passwords(directory, east, now):
    asked = directory(east, referral_hosts=["127.0.0.1"])
    assert asked.authenticate("wanda", "wanda-secret", now).name == "wanda"
    assert asked.authenticate("wanda", "wrong", now) is None
    assert asked.authenticate("ann", "ann-secret", now).name == "ann"


def test_a_base_that_is_elsewhere_is_followed_or_refused_in_words(directory, east, west, now):
    base = f"ou=west,{lab.PEOPLE}"
    with pytest.raises(DirectoryError, match=f"refers to {west.url}/.*, which is not followed: name it in servers"):
        directory(east, base_dn=base).find("wanda", now)
    assert directory(east, base_dn=base, referral_hosts=["127.0.0.1"]).find("wanda", now).name == "wanda"


def test_a_server_that_refers_to_itself_is_given_up(directory, slapd_factory, now):
    company, base = slapd_factory(), f"ou=west,{lab.PEOPLE}"
    company.add(
        f"dn: {base}\nobjectClass: referral\nobjectClass: extensibleObject\nou: west\nref: {company.url}/{base}\n"
    )
    with pytest.raises(DirectoryError, match="without an end"):
        directory(company, base_dn=base, referral_hosts=["127.0.0.1"]).find("wanda", now)
