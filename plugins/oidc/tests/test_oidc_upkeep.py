"""Who leaves the group or the company loses access without a login; who cannot be asked about keeps it."""

import logging

import anyio
import pytest

from hatsize.hooks.storage import StorageError
from hatsize.tailnet.model import Identity, Node, User, UserStatus
from hatsize_oidc.provider import OidcProvider

pytestmark = pytest.mark.anyio
ANN = Identity("work", "ann-1")
OPS = {"groups_claim": "groups", "allowed_groups": ["ops"]}


@pytest.fixture
async def ann(pages, waiting_login, fake, tailnet):
    """Ann, of group ops, with her machine in the network."""
    fake.person["groups"] = ["ops", "dev"]
    await pages(**OPS)().log_in(await waiting_login())
    return Who(tailnet)


class Who:
    def __init__(self, tailnet):
        self._tailnet = tailnet

    @property
    def user(self):
        return next(user for user in self._tailnet.state.all(User) if user.name == "ann")

    @property
    def is_in(self):
        [node] = self._tailnet.state.all(Node)
        expired = node.key_expiry is not None and node.key_expiry <= self._tailnet.clock()
        return self.user.status is UserStatus.ACTIVE and not expired


@pytest.fixture
def ask(provider, upkeep):
    """Asks about everybody once, as a server does that has just started."""

    async def once(**given):
        await upkeep(provider(**{**OPS, **given})).round()

    return once


async def test_groups_and_profile_follow_the_provider(ann, ask, fake):
    fake.person |= {"groups": ["ops"], "name": "Ann B."}
    await ask()
    assert ann.is_in
    assert (ann.user.groups, ann.user.display_name) == (("group:ops@work",), "Ann B.")


async def test_the_newest_refresh_token_is_kept(ann, ask, tokens, fake):
    await ask()
    await ask()
    assert tokens.get(ANN) == fake.refreshing == "refresh-1++"
    assert ann.is_in


async def test_who_leaves_the_group_is_out_at_once_and_back_in_when_they_return(ann, ask, fake, caplog):
    caplog.set_level(logging.INFO, "hatsize.oidc")
    fake.person["groups"] = ["dev"]
    await ask()
    assert not ann.is_in
    assert ann.user.suspension.by == "work"
    assert "in no group of work that may log in" in ann.user.suspension.reason
    assert "user ann is shut out" in caplog.text
    fake.person["groups"] = ["ops"]
    await ask()
    assert ann.user.status is UserStatus.ACTIVE


async def test_whose_session_the_provider_ends_is_out_until_they_log_in_anew(
    ann, ask, fake, tokens, pages, waiting_login, tailnet
):
    fake.refreshing = "revoked"
    await ask()
    assert not ann.is_in
    assert tokens.get(ANN) == ""
    await pages(**OPS)().log_in(await waiting_login("phone"))
    assert ann.user.status is UserStatus.ACTIVE


@pytest.mark.parametrize(
    "break_it",
    [
        lambda fake: setattr(fake, "down", True),
        lambda fake: setattr(fake, "token_answer", (500, b"oops")),
        lambda fake: setattr(fake, "token_answer", (429, b"slow down")),
        lambda fake: setattr(fake, "token_answer", (401, {"error": "invalid_client"})),
        lambda fake: setattr(fake, "token_answer", (200, {"access_token": "a", "token_type": "Bearer"})),
        lambda fake: fake.id_token_claims.update(iat=1, exp=2),
        lambda fake: fake.id_token_claims.update(iss="https://other.example"),
        lambda fake: fake.id_token_claims.update(sub="bob-1"),
        lambda fake: fake.id_token_claims.update(groups=None, _claim_names={"groups": "src1"}),
        lambda fake: fake.metadata.update(issuer="https://other.example"),
    ],
)
async def test_a_provider_that_says_nothing_clear_shuts_nobody_out(ann, ask, fake, caplog, break_it):
    break_it(fake)
    await ask()
    assert ann.is_in
    assert "nothing new about users of work" in caplog.text
    assert "refresh-1" not in caplog.text


async def test_a_mistake_of_ours_does_not_end_the_asking(ann, ask, monkeypatch, caplog):
    async def fails(*_):
        raise KeyError("oops")

    with monkeypatch.context() as patched:
        patched.setattr(OidcProvider, "renewed", fails)
        await ask()
    assert "unexpected error while asking work about a user" in caplog.text
    await ask()
    assert ann.is_in


async def test_without_an_id_token_the_userinfo_endpoint_tells(ann, ask, fake):
    fake.token_answer = (200, {"access_token": "a", "token_type": "Bearer"})
    fake.userinfo = {**fake.person, "groups": []}
    await ask()
    assert not ann.is_in


async def test_who_has_logged_in_meanwhile_is_not_out_by_the_end_of_the_older_session(
    ann, ask, fake, tokens, monkeypatch
):
    renewed = OidcProvider.renewed

    async def slowly(self, token):
        await tokens.keep(ANN, "of-the-newer-session")
        return await renewed(self, token)

    monkeypatch.setattr(OidcProvider, "renewed", slowly)
    fake.refreshing = "revoked"
    await ask()
    assert ann.is_in
    assert tokens.get(ANN) == "of-the-newer-session"


async def test_a_token_that_is_renewed_takes_no_newer_ones_place(ann, ask, tokens, fake, monkeypatch):
    renewed = OidcProvider.renewed

    async def slowly(self, token):
        answer = await renewed(self, token)
        await tokens.keep(ANN, "of-the-newer-session")
        return answer

    monkeypatch.setattr(OidcProvider, "renewed", slowly)
    fake.person["groups"] = []
    await ask()
    assert ann.is_in
    assert tokens.get(ANN) == "of-the-newer-session"


async def test_who_is_no_user_any_more_is_forgotten_and_who_is_none_yet_is_not(ask, tokens, tailnet):
    await tokens.keep(ANN, "refresh-1")
    await ask()
    assert tokens.get(ANN) == "refresh-1"
    tailnet.clock.advance(minutes=11)
    await ask()
    assert tokens.get(ANN) == ""


async def test_nobody_is_asked_more_often_than_the_settings_say(ann, provider, upkeep, fake):
    asking = upkeep(provider(**OPS))
    before = fake.count("token")
    await asking.round()
    await asking.round()
    assert fake.count("token") == before + 1


async def test_or_never(ann, ask, fake):
    before = fake.count("token")
    await ask(refresh_minutes=0)
    assert fake.count("token") == before


async def test_one_replica_asks_for_all(ann, provider, upkeep, fake, view, monkeypatch):
    asking, before = upkeep(provider(**OPS)), fake.count("token")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(view, "is_ours", lambda duty: False)
        await asking.ask_soon(ANN)
        await asking.round()
    assert fake.count("token") == before
    fake.refreshing = "revoked"
    await asking.round()
    assert not ann.is_in


async def test_a_storage_that_refuses_does_not_end_the_asking(provider, upkeep, tailnet, monkeypatch, caplog):
    def full(changes, expect):
        raise StorageError("the disk is full")

    asking = upkeep(provider(**OPS))
    await asking.ask_soon(ANN)
    monkeypatch.setattr(tailnet.storage, "commit", full)
    with anyio.move_on_after(0.1):
        await asking.run()
    assert "nobody is asked about now: the disk is full" in caplog.text
