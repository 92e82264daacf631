"""Asking the directory from the event loop: what people are told, and that nothing waits for a server."""

import threading

import anyio
import pytest

from hatsize.hooks.auth import Deny, UnavailableError
from hatsize.tailnet.model import Identity
from hatsize_ldap import provider
from hatsize_ldap.directory import Refusal
from hatsize_ldap.errors import DirectoryError
from hatsize_ldap.people import Person
from hatsize_ldap.provider import Asking, LdapPasswords

pytestmark = pytest.mark.anyio
ANN = Person("uid=ann", "7", "ann", "ann@example.com", "Ann", "", ("group:dev@example.com",))


class FakeDirectory:
    def __init__(self, answer):
        self.answer = answer

    def authenticate(self, username, password, now):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer() if callable(self.answer) else self.answer


async def checked(answer):
    return await LdapPasswords(Asking("ldap", FakeDirectory(answer)), "Office").check("ann", "secret", "192.0.2.1")


async def test_a_person_is_an_identity_by_what_never_changes_of_them():
    identity = await checked(ANN)
    assert identity.identity == Identity("ldap", "7")
    assert (identity.name, identity.email, identity.display_name) == ("ann", "ann@example.com", "Ann")
    assert identity.groups == ("group:dev@example.com",)


async def test_nobody_is_nobody():
    assert await checked(None) is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Refusal("Your password has expired."), "Your password has expired."),
        (Person("uid=ann", "7", "ann", "", "", "the account is disabled", ()), "The account is disabled."),
    ],
)
async def test_whose_password_is_right_is_told_why_that_is_not_enough(answer, reason):
    assert await checked(answer) == Deny(reason)


async def test_a_directory_without_an_answer_is_no_wrong_password():
    with pytest.raises(UnavailableError, match="does not answer"):
        await checked(DirectoryError("ldap://a.example.com does not answer"))


async def test_a_server_that_hangs_delays_nobody_beyond_the_deadline(monkeypatch):
    monkeypatch.setattr(provider, "DEADLINE", 0.1)
    let_go = threading.Event()
    try:
        with anyio.fail_after(5):
            with pytest.raises(UnavailableError, match=r"no answer within 0\.1 seconds"):
                await checked(let_go.wait)
    finally:
        let_go.set()


async def test_many_that_hang_hold_up_only_their_own_kind(monkeypatch):
    monkeypatch.setattr(provider, "DEADLINE", 0.2)
    let_go = threading.Event()
    passwords = LdapPasswords(Asking("ldap", FakeDirectory(let_go.wait)), "Office")
    told = []

    async def log_in():
        try:
            await passwords.check("ann", "secret", "192.0.2.1")
        except UnavailableError as error:
            told.append(str(error))

    try:
        async with anyio.create_task_group() as tasks:
            for _ in range(provider.THREADS * 3):
                tasks.start_soon(log_in)
            await anyio.sleep(0.05)
            with anyio.fail_after(1):
                assert await anyio.to_thread.run_sync(lambda: "free") == "free"
        assert len(told) == provider.THREADS * 3
    finally:
        let_go.set()
