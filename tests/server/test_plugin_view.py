"""The server as plugins see it: logging people in, and putting a policy in force."""

from dataclasses import replace as changed
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from hatsize.hooks import hookimpl
from hatsize.hooks.auth import Allow, Deny, LoginIdentity
from hatsize.policy.errors import PolicyError
from hatsize.server.plugin_view import PluginView
from hatsize.tailnet.errors import RefusedError
from hatsize.tailnet.model import Change, Identity, PolicyVersion, User, UserStatus

pytestmark = pytest.mark.anyio

ANN = LoginIdentity(Identity("work", "1"), "ann", "ann@example.com", "Ann", groups=("group:ops@example.com",))


@pytest.fixture
def view(tailnet):
    return PluginView(
        tailnet.live, tailnet.registrar, tailnet.services.plugins, "http://hatsize.example", Path("/data")
    )


@pytest.fixture
async def waiting(fake_client):
    """Makes a client wait for its user, and gives the login's auth id."""
    clients = []

    async def wait(name="desk"):
        client = fake_client(name)
        clients.append(client)
        return (await (await client.__aenter__()).register("")).AuthURL.rpartition("/")[2]

    yield wait
    for client in clients:
        await client.__aexit__(None, None, None)


async def test_who_logs_in_becomes_a_user_and_gets_the_node(view, tailnet, waiting):
    expires = tailnet.clock() + timedelta(hours=8)
    node = await view.log_in(await waiting(), changed(ANN, expires=expires))
    user = tailnet.state.get(User, node.user_id)
    assert (user.name, user.email, user.groups) == ("ann", "ann@example.com", ("group:ops@example.com",))
    assert (node.register_method, node.key_expiry) == ("work", expires)


async def test_who_comes_back_is_the_same_user_with_new_groups(view, tailnet, waiting):
    first = await view.log_in(await waiting("desk"), ANN)
    second = await view.log_in(await waiting("phone"), changed(ANN, groups=(), name="renamed"))
    assert first.user_id == second.user_id
    assert tailnet.state.get(User, second.user_id).groups == ()


async def test_a_name_or_address_of_another_is_not_taken_over(view, tailnet, waiting):
    alice = LoginIdentity(Identity("guests", "9"), "alice", "alice@")
    node = await view.log_in(await waiting(), alice)
    user = tailnet.state.get(User, node.user_id)
    assert user.id != 1
    assert (user.name, user.email) == ("alice-2", "")


async def test_two_providers_with_one_subject_are_two_users(view, waiting):
    first = await view.log_in(await waiting("desk"), ANN)
    second = await view.log_in(await waiting("phone"), changed(ANN, identity=Identity("guests", "1")))
    assert first.user_id != second.user_id


async def test_a_name_that_cannot_be_one_is_replaced(view, tailnet, waiting):
    node = await view.log_in(await waiting(), LoginIdentity(Identity("work", "2"), "7 & 8"))
    assert tailnet.state.get(User, node.user_id).name == "user"


async def test_a_suspended_user_is_refused(view, tailnet, waiting):
    node = await view.log_in(await waiting(), ANN)
    user = replace(tailnet.state.get(User, node.user_id), status=UserStatus.SUSPENDED)
    await tailnet.live.run(lambda _: Change(tailnet=1, kind="user.updated", puts=(user,), at=tailnet.clock()))
    with pytest.raises(RefusedError, match="user 'ann' is suspended"):
        await view.log_in(await waiting("phone"), ANN)


async def test_plugins_have_a_say(view, tailnet, waiting):
    class Doorkeeper:
        login = None
        registration = None

        @hookimpl
        async def hatsize_login(self):
            return self.login

        @hookimpl
        async def hatsize_registration(self):
            return self.registration

    keeper = Doorkeeper()
    tailnet.services.plugins.add(keeper, "door")
    auth_id = await waiting()
    keeper.login = Deny("you have left the company")
    with pytest.raises(RefusedError, match="left the company"):
        await view.log_in(auth_id, ANN)
    keeper.login, keeper.registration = None, Deny("not this machine")
    with pytest.raises(RefusedError, match="not this machine"):
        await view.log_in(auth_id, ANN)
    keeper.registration = Allow(user_id=None, method="door", authorized=False)
    assert not (await view.log_in(auth_id, ANN)).authorized


async def test_a_login_that_is_not_waiting_is_refused(view):
    with pytest.raises(RefusedError):
        await view.log_in("hskey-authreq-gone", ANN)


async def test_a_policy_is_put_in_force_when_the_engine_takes_it(view, tailnet):
    await view.save_policy('{"acls": []}', "door")
    [version] = tailnet.state.all(PolicyVersion)
    assert (version.document, version.author) == ('{"acls": []}', "door")
    with pytest.raises(PolicyError):
        await view.save_policy('{"acls": ', "door")
