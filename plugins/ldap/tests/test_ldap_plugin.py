"""The plugin in a whole server: the page, what a login makes, and the users followed."""

import re

import anyio
import pytest
from anyio import to_thread

from hatsize.tailnet.model import Node, User, UserStatus
from hatsize.testing.client import FakeClient
from tests.clients.lab import slapd as lab
from tests.clients.lab.form import fill_in

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture
def serving(hatsize_server, certificate):
    """Runs a server with the plugin."""

    def serve(company, **more):
        given = {
            "servers": [company.url],
            "ca_file": str(certificate[0]),
            "base_dn": lab.BASE,
            "bind_dn": lab.SERVICE,
            "bind_password": lab.PASSWORD,
            "sync_interval_seconds": 0.1,
            **more,
        }
        return hatsize_server({"plugins": {"enabled": ["ldap"], "ldap": given}})

    return serve


async def log_in(server, client: FakeClient, name, password):
    """Log a client in on its page; the page's text."""
    answer = await client.register()
    path = re.search(r"/register/.*", answer.AuthURL)[0]
    with anyio.fail_after(10):
        _, text = await to_thread.run_sync(fill_in, server.url + path, name, password)
    return text


async def until(holds):
    with anyio.fail_after(15):
        while not holds():  # noqa: ASYNC110 - a state, not an event
            await anyio.sleep(0.02)


def only(server, kind):
    [record] = server.parts.live.state.all(kind)
    return record


def user(server):
    return server.parts.live.state.get(User, only(server, Node).user_id)


async def test_a_login_makes_a_user_with_groups(serving, company):
    async with serving(company) as server, await server.client("desk") as client:
        assert "This machine is in" in await log_in(server, client, "ann", "ann-secret")
        assert (user(server).name, user(server).email) == ("ann", "ann@example.com")
        assert user(server).groups == ("group:all-staff@example.com", "group:dev@example.com")
        assert only(server, Node).register_method == "ldap"


async def test_the_title_is_the_settings(serving, company):
    async with serving(company, title="The office's account") as server, await server.client("desk") as client:
        assert "The office&#39;s account" in await log_in(server, client, "ann", "wrong")


async def test_a_disabled_user_is_suspended_and_restored_when_they_are_back(serving, slapd_factory):
    company = slapd_factory()
    dn = company.add_person("ann")
    async with serving(company) as server, await server.client("desk") as client:
        await log_in(server, client, "ann", "ann-secret")
        company.change(
            f"dn: {dn}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n"
        )
        await until(lambda: user(server).status is UserStatus.SUSPENDED)
        assert only(server, Node).key_expiry <= server.parts.live.clock()
        assert "disabled" in user(server).suspension.reason
        company.change(f"dn: {dn}\nchangetype: modify\ndelete: pwdAccountLockedTime\n")
        await until(lambda: user(server).status is UserStatus.ACTIVE)


async def test_a_directory_that_is_down_or_shows_nothing_suspends_nobody(serving, slapd_factory, caplog):
    company = slapd_factory()
    dn = company.add_person("ann")
    company.add_person("bob")
    async with serving(company) as server, await server.client("desk") as client:
        await log_in(server, client, "ann", "ann-secret")
        company.stop()
        await until(lambda: "stay as they are" in caplog.text)
        assert user(server).status is UserStatus.ACTIVE
        company.start()
        caplog.clear()
        company.delete(dn)
        company.delete(f"uid=bob,{lab.PEOPLE}")
        await until(lambda: "shows no user under" in caplog.text)
        assert user(server).status is UserStatus.ACTIVE


async def test_without_an_interval_users_are_not_followed(serving, slapd_factory):
    company = slapd_factory()
    company.add_person("ann")
    company.add_person("bob")
    async with serving(company, sync_interval_seconds=0) as server, await server.client("desk") as client:
        await log_in(server, client, "ann", "ann-secret")
        company.delete(f"uid=ann,{lab.PEOPLE}")
        await anyio.sleep(0.5)
        assert user(server).status is UserStatus.ACTIVE
