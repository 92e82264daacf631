"""Replicas on a real PostgreSQL: whoever logged in at one of them is followed by whichever is there."""

import contextlib
import shutil
from functools import partial
from types import SimpleNamespace

import anyio
import httpx2
import pytest

from hatsize.tailnet.model import PluginItem, User, UserStatus
from hatsize.testing.server import running_server

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture
def replica(tmp_path, postgres_server, fake, monkeypatch):
    """Runs a replica of a server that has the provider; its disk is gone with it."""
    from hatsize_oidc import plugin

    monkeypatch.setattr("hatsize_oidc.upkeep.PAUSE", 0.05)
    monkeypatch.setattr(plugin, "OidcProvider", partial(plugin.OidcProvider, transport=fake.transport))
    url, key_file = postgres_server.new_database(), tmp_path / "cluster.key"
    key_file.write_text("0123456789abcdef" * 4)

    @contextlib.asynccontextmanager
    async def running(name, **given):
        monkeypatch.setattr(plugin, "plugin", plugin.OidcPlugin())  # each process has its own
        settings = {
            "database": {"url": url},
            "plugins": {
                "enabled": ["cluster", "oidc"],
                "cluster": {"key_file": str(key_file), "name": name, "lease": 2.0},
                "oidc": {"providers": [{"name": "work", "issuer": fake.issuer, "client_id": "hatsize", **given}]},
            },
        }
        async with running_server(tmp_path / name, settings) as server:
            yield server
        shutil.rmtree(tmp_path / name)

    return running


class Site:
    """A replica's pages over its socket, in the form in which browsers of tests ask an app."""

    def __init__(self, client):
        self._client = client

    def test_client(self):
        return self

    async def get(self, path):
        return self._answer(await self._client.get(path))

    async def post(self, path, form, headers=None):
        return self._answer(await self._client.post(path, data=form, headers=headers))

    @staticmethod
    def _answer(answer):
        async def get_data(*, as_text):
            assert as_text
            return answer.text

        return SimpleNamespace(status_code=answer.status_code, headers=answer.headers, get_data=get_data)


@pytest.fixture
async def browse(browser_of):
    """Makes browsers of one replica."""
    async with contextlib.AsyncExitStack() as clients:

        async def make(server):
            return browser_of(Site(await clients.enter_async_context(httpx2.AsyncClient(base_url=server.url))))

        yield make


async def log_in(server, browse):
    client = await server.client("desk")
    answer = await client.register()
    browser = await browse(server)
    return await browser.log_in(answer.AuthURL.rpartition("/")[2])


def status(server):
    return next((user.status for user in server.parts.live.state.all(User) if user.name == "ann"), None)


async def until(holds, seconds=20.0):
    with anyio.fail_after(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await anyio.sleep(0.01)


async def test_who_logged_in_at_a_replica_that_is_gone_is_shut_out_by_another(replica, fake, browse):
    async with contextlib.AsyncExitStack() as others:
        async with replica("one") as one:
            two = await others.enter_async_context(replica("two"))
            assert (await log_in(one, browse)).status == 200
            await until(lambda: status(two) is UserStatus.ACTIVE and two.parts.live.state.table(PluginItem))
        fake.refreshing = "taken back"
        await until(lambda: status(two) is UserStatus.SUSPENDED)
        await until(lambda: not two.parts.live.state.table(PluginItem))


async def test_a_logout_told_to_one_replica_is_followed_by_the_one_that_asks(replica, fake, browse):
    async with replica("one", refresh_minutes=0) as one, replica("two", refresh_minutes=0) as two:
        await log_in(one, browse)
        fake.refreshing = "taken back"
        for server in (one, two):
            logout_token = fake.id_token(events={"http://schemas.openid.net/event/backchannel-logout": {}})
            told = await (await browse(server)).post("/oidc/work/backchannel-logout", logout_token=logout_token)
            assert told.status == 200
        await until(lambda: status(one) is status(two) is UserStatus.SUSPENDED)
        assert fake.count("token") == 2
