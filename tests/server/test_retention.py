"""What a server forgets in time."""

from datetime import timedelta

import pytest

from hatsize.hooks.storage import LogTrimmedError
from hatsize.server.retention import forget_auth_keys, forget_plugin_items, forget_posture, trim_log
from hatsize.tailnet.commands.attributes import Passing, set_attributes
from hatsize.tailnet.commands.credentials import expire_credential
from hatsize.tailnet.commands.oauth import create_oauth_client, issue_token
from hatsize.tailnet.model import Credential, CredentialKind, PluginItem
from hatsize.tailnet.secrets import mint
from hatsize.testing.client import FakeClient
from hatsize.testing.web import plugin_server

pytestmark = pytest.mark.anyio


def keys(tailnet):
    return {key.id for key in tailnet.state.all(Credential)}


async def test_a_revoked_key_goes_after_the_retention(tailnet):
    await tailnet.auth_key()
    await tailnet.live.run(
        lambda state: expire_credential(state, CredentialKind.AUTH_KEY, min(keys(tailnet)), tailnet.clock())
    )
    tailnet.clock.advance(days=6)
    await forget_auth_keys(tailnet.live)
    assert keys(tailnet)
    tailnet.clock.advance(days=1)
    await forget_auth_keys(tailnet.live)
    assert not keys(tailnet)


async def test_a_key_that_is_good_for_ever_stays(tailnet):
    await tailnet.auth_key(reusable=True, expires=None)
    tailnet.clock.advance(days=1000)
    await forget_auth_keys(tailnet.live)
    assert keys(tailnet)


async def test_an_expired_token_goes_and_its_client_stays(tailnet):
    client, token = (mint(kind, bytes(range(44))) for kind in (CredentialKind.OAUTH_CLIENT, CredentialKind.OAUTH_TOKEN))
    await tailnet.live.run(lambda state: create_oauth_client(state, client, tailnet.clock(), scopes=["dns"]))
    (number,) = keys(tailnet)
    await tailnet.live.run(
        lambda state: issue_token(state, number, token, tailnet.clock(), scopes=["dns:read"], tags=[])
    )
    await forget_auth_keys(tailnet.live)
    assert len(keys(tailnet)) == 2
    tailnet.clock.advance(hours=1)
    await forget_auth_keys(tailnet.live)
    assert keys(tailnet) == {number}


async def test_a_posture_attribute_goes_at_its_time(tailnet):
    client = FakeClient.direct(tailnet.app, hostname="desk")
    await client.register(await tailnet.auth_key())
    passing = {"custom:tier": Passing("gold", tailnet.clock() + timedelta(minutes=5))}
    await tailnet.live.run(lambda state: set_attributes(state, 1, passing, tailnet.clock(), actor="test"))
    await forget_posture(tailnet.live)
    assert tailnet.node("desk").attributes == {"custom:tier": "gold"}
    tailnet.clock.advance(minutes=5)
    await forget_posture(tailnet.live)
    assert tailnet.node("desk").attributes == {}


async def test_what_a_plugin_kept_for_a_while_goes_at_its_time(tailnet):
    store = plugin_server(tailnet).store("door")
    await store.put("lasting", b"1")
    await store.put("passing", b"2", tailnet.clock() + timedelta(minutes=5))
    await forget_plugin_items(tailnet.live)
    assert len(tailnet.state.table(PluginItem)) == 2
    tailnet.clock.advance(minutes=5)
    await forget_plugin_items(tailnet.live)
    assert [item.key for item in tailnet.state.all(PluginItem)] == ["lasting"]


async def test_the_change_log_keeps_a_day(tailnet):
    await tailnet.add_user("old")
    tailnet.clock.advance(hours=25)
    await tailnet.add_user("new")
    await trim_log(tailnet.live)
    seq = tailnet.state.seq
    assert [change.seq for change in tailnet.storage.changes(1, seq - 1)] == [seq]
    with pytest.raises(LogTrimmedError):
        tailnet.storage.changes(1, 0)
