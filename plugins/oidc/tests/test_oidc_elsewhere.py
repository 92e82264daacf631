"""Who logs in at another replica is asked about there alone: what ends here later is an old session."""

import pytest

from hatsize.hooks.auth import LoginIdentity
from hatsize.tailnet.errors import RefusedError
from hatsize.tailnet.model import Identity, Node
from hatsize_oidc.elsewhere import Elsewhere
from hatsize_oidc.plugin import OidcPlugin

pytestmark = pytest.mark.anyio
ANN = Identity("work", "ann-1")


class Listener:
    """One replica's view of what happens to the tailnet."""

    def __init__(self, tailnet, *providers):
        self.elsewhere, self.heard = Elsewhere(providers), []
        tailnet.live.listen(lambda change: self.heard.append(self.elsewhere.who(tailnet.state, change)))

    @property
    def found(self):
        return [identity for identity in self.heard if identity is not None]


async def logged_in(view, auth_id, identity=ANN):
    await view.log_in(auth_id, LoginIdentity(identity, "ann"))


async def test_a_login_is_heard_of_at_the_other_replica_alone(tailnet, view, waiting_login):
    here, there = Listener(tailnet, "work"), Listener(tailnet, "work")
    with here.elsewhere.not_so(ANN):
        await logged_in(view, await waiting_login())
    assert (here.found, there.found) == ([], [ANN])
    await logged_in(view, await waiting_login("phone"))
    assert here.found == [ANN]


async def test_one_that_was_refused_is_not_waited_for(tailnet, view, waiting_login):
    here = Listener(tailnet, "work")
    with pytest.raises(RefusedError), here.elsewhere.not_so(ANN):
        await logged_in(view, "hskey-authreq-" + "0" * 24)
    await logged_in(view, await waiting_login())
    assert here.found == [ANN]


async def test_other_providers_and_other_changes_are_no_login_here(tailnet, view, waiting_login, fake_client):
    here = Listener(tailnet, "work")
    await logged_in(view, await waiting_login(), Identity("guests", "ann-1"))
    async with fake_client("phone") as client:
        await client.register(await tailnet.auth_key())
    await tailnet.registrar.approve(await waiting_login("lamp"), 1, "cli")
    assert here.found == []


async def test_the_token_that_is_old_then_is_forgotten(tailnet, pages, waiting_login, tokens, view):
    browser = pages()
    await browser().log_in(await waiting_login())
    assert tokens.get(ANN)
    plugin = OidcPlugin()
    plugin._tokens, plugin._elsewhere = tokens, Elsewhere(["work"])
    changes = []
    tailnet.live.listen(changes.append)
    await logged_in(view, await waiting_login("phone"))
    for change in changes:
        await plugin.hatsize_changed(tailnet.state, change)
    assert not tokens.get(ANN)
    assert len(list(tailnet.state.all(Node))) == 2


async def test_ones_own_login_keeps_its_token(tailnet, pages, waiting_login, tokens):
    browser, changes = pages(), []
    tailnet.live.listen(changes.append)
    await browser().log_in(await waiting_login())
    assert [browser.elsewhere.who(tailnet.state, change) for change in changes] == [None] * len(changes)
    assert tokens.get(ANN)
