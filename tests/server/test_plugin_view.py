"""The server as plugins see it: logging people in, and putting a policy in force."""

from dataclasses import replace as changed
from datetime import timedelta

import pytest
from msgspec.structs import replace

from hatsize.hooks import hookimpl
from hatsize.hooks.auth import Allow, Deny, LoginIdentity
from hatsize.policy.errors import PolicyError
from hatsize.tailnet.commands.nodes import approve_node
from hatsize.tailnet.errors import RefusedError
from hatsize.tailnet.model import (
    Change,
    Identity,
    LoginState,
    Node,
    PendingLogin,
    PolicyVersion,
    User,
    UserStatus,
)
from hatsize.testing.web import plugin_server

pytestmark = pytest.mark.anyio

ANN = LoginIdentity(Identity("work", "1"), "ann", "ann@example.com", "Ann", groups=("group:ops@example.com",))
BOB = LoginIdentity(Identity("work", "2"), "bob", "bob@example.com")


@pytest.fixture
async def view(tailnet):
    return plugin_server(tailnet)


async def test_who_logs_in_becomes_a_user_and_gets_the_node(view, tailnet, waiting_login):
    expires = tailnet.clock() + timedelta(hours=8)
    node = await view.log_in(await waiting_login(), changed(ANN, expires=expires))
    user = tailnet.state.get(User, node.user_id)
    assert (user.name, user.email, user.groups) == ("ann", "ann@example.com", ("group:ops@example.com",))
    assert (node.register_method, node.key_expiry) == ("work", expires)


async def test_who_comes_back_is_the_same_user_with_new_groups(view, tailnet, waiting_login):
    first = await view.log_in(await waiting_login("desk"), ANN)
    second = await view.log_in(await waiting_login("phone"), changed(ANN, groups=(), name="renamed"))
    assert first.user_id == second.user_id
    assert tailnet.state.get(User, second.user_id).groups == ()


async def test_a_name_or_address_of_another_is_not_taken_over(view, tailnet, waiting_login):
    alice = LoginIdentity(Identity("guests", "9"), "alice", "alice@")
    node = await view.log_in(await waiting_login(), alice)
    user = tailnet.state.get(User, node.user_id)
    assert user.id != 1
    assert (user.name, user.email) == ("alice-2", "")


async def test_two_providers_with_one_subject_are_two_users(view, waiting_login):
    first = await view.log_in(await waiting_login("desk"), ANN)
    second = await view.log_in(await waiting_login("phone"), changed(ANN, identity=Identity("guests", "1")))
    assert first.user_id != second.user_id


async def test_a_name_that_cannot_be_one_is_replaced(view, tailnet, waiting_login):
    node = await view.log_in(await waiting_login(), LoginIdentity(Identity("work", "2"), "7 & 8"))
    assert tailnet.state.get(User, node.user_id).name == "user"


async def test_a_suspended_user_is_refused(view, tailnet, waiting_login):
    node = await view.log_in(await waiting_login(), ANN)
    user = replace(tailnet.state.get(User, node.user_id), status=UserStatus.SUSPENDED)
    await tailnet.live.run(lambda _: Change(tailnet=1, kind="user.updated", puts=(user,), at=tailnet.clock()))
    with pytest.raises(RefusedError, match="user 'ann' is suspended"):
        await view.log_in(await waiting_login("phone"), ANN)


async def test_where_machines_need_approval_a_new_one_waits_and_an_approved_one_comes_back(
    tailnet, view, waiting_login
):
    tailnet.live.go_by(changed(tailnet.live.terms, approval=True))
    node = await view.log_in(await waiting_login(), ANN)
    assert not node.authorized
    await tailnet.live.run(lambda state: approve_node(state, node.id, tailnet.clock()))
    again = tailnet.state.get(Node, node.id)
    assert again.authorized


async def test_plugins_have_a_say(view, tailnet, waiting_login):
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
    auth_id = await waiting_login()
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


async def test_a_provider_shuts_out_and_lets_in_again(view, tailnet, waiting_login):
    node = await view.log_in(await waiting_login(), ANN)
    await view.suspend(ANN.identity, "has left")
    assert tailnet.state.get(User, node.user_id).status is UserStatus.SUSPENDED
    assert tailnet.state.get(Node, node.id).key_expiry == tailnet.clock()
    await view.sync_user(changed(ANN, groups=()))
    user = tailnet.state.get(User, node.user_id)
    assert (user.status, user.groups) == (UserStatus.ACTIVE, ())


async def test_who_is_unknown_is_neither_shut_out_nor_made(view):
    assert await view.suspend(ANN.identity, "has left") is None
    assert await view.sync_user(ANN) is None


async def test_an_administrator_cannot_let_a_machine_in_for_who_is_shut_out(view, tailnet, waiting_login):
    node = await view.log_in(await waiting_login(), ANN)
    await view.suspend(ANN.identity, "has left")
    with pytest.raises(RefusedError, match="'ann' is suspended"):
        await tailnet.registrar.approve(await waiting_login("phone"), node.user_id, "cli")


@pytest.fixture
def held(tailnet):
    """Makes an SSH session from a node wait, and gives its auth id."""

    async def hold(node):
        login = PendingLogin(
            id=tailnet.state.next_id(PendingLogin), auth_id="hskey-authreq-" + "0" * 24, purpose="ssh",
            machine_key=node.machine_key, node_key=node.node_key, node_id=node.id, created=tailnet.clock(),
            expires=tailnet.clock() + timedelta(minutes=5),
        )  # fmt: skip
        await tailnet.live.run(lambda _: Change(tailnet=1, kind="login.started", puts=(login,), at=tailnet.clock()))
        return login.auth_id

    return hold


async def test_a_session_that_waits_goes_on_when_its_owner_logs_in_anew(view, tailnet, waiting_login, held):
    auth_id = await held(await view.log_in(await waiting_login(), ANN))
    await view.approve_check(auth_id, ANN)
    [login] = [login for login in tailnet.state.all(PendingLogin) if login.purpose == "ssh"]
    assert login.state is LoginState.APPROVED


async def test_somebody_elses_login_does_not_let_it_go_on(view, tailnet, waiting_login, held):
    node = await view.log_in(await waiting_login(), ANN)
    await view.log_in(await waiting_login("phone"), BOB)
    auth_id = await held(node)
    with pytest.raises(RefusedError, match=r"desk is ann@example.com's machine: log in as its owner"):
        await view.approve_check(auth_id, BOB)
    await view.suspend(ANN.identity, "has left")
    with pytest.raises(RefusedError, match="suspended"):
        await view.approve_check(auth_id, ANN)


async def test_a_session_is_no_machine_and_a_machine_no_session(view, waiting_login, held):
    node = await view.log_in(await waiting_login(), ANN)
    with pytest.raises(RefusedError, match="no machine's"):
        await view.log_in(await held(node), ANN)
    with pytest.raises(RefusedError, match="no SSH session"):
        await view.approve_check(await waiting_login("phone"), ANN)


async def test_who_sees_whom_is_the_policys_affair(view, tailnet, fake_client):
    for name in ("desk", "phone", "server"):
        async with fake_client(name) as client:
            await client.register(await tailnet.auth_key(tags=("tag:server",) if name == "server" else ()))
    desk, phone, server = (tailnet.node(name).id for name in ("desk", "phone", "server"))
    await tailnet.save_policy('{"acls": [{"action": "accept", "src": ["alice@"], "dst": ["alice@:*"]}]}')
    assert (view.sees(desk, phone), view.sees(desk, server), view.sees(desk, 99), view.sees(99, desk)) == (
        True, False, False, False,
    )  # fmt: skip
