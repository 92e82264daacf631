"""Following the directory: who is suspended, who is let in again, and when nothing is done at all."""

import anyio
import pytest

from hatsize.hooks.storage import StorageError
from hatsize.tailnet.errors import RefusedError
from hatsize.tailnet.model import Identity, User, UserStatus
from hatsize_ldap.errors import DirectoryError, UnreachableError
from hatsize_ldap.people import Person
from hatsize_ldap.provider import Asking
from hatsize_ldap.sync import GONE, Sync, plan

pytestmark = pytest.mark.anyio


def person(name, why_not=""):
    groups = ("group:dev@example.com",)
    return Person(f"uid={name},dc=example", name, name, f"{name}@example.com", name.title(), why_not, groups)


def user(name, now, status=UserStatus.ACTIVE, provider="ldap"):
    return User(id=1, name=name, identities=(Identity(provider, name),), status=status, created=now)


class FakeDirectory:
    """Gives the people it has, or an error."""

    def __init__(self, *people):
        self.here = {each.subject: each for each in people}
        self.error = None
        self.asked = []
        self.once, self.thrice = anyio.Event(), anyio.Event()

    def people(self, subjects, now):
        self.asked.append(sorted(subjects))
        if len(self.asked) == 1:
            anyio.from_thread.run_sync(self.once.set)
        if len(self.asked) == 3:
            anyio.from_thread.run_sync(self.thrice.set)
        if self.error:
            raise self.error
        return {subject: self.here[subject] for subject in subjects if subject in self.here}


class FakeServer:
    """Notes what is to be done, in a tailnet with these users."""

    def __init__(self, *users):
        self.users = users
        self.suspended = {}
        self.told = []
        self.refuse = None
        self.ours = True
        self.duties = set()

    def is_ours(self, duty):
        self.duties.add(duty)
        return self.ours

    @property
    def state(self):
        return self

    def all(self, kind):
        return iter(self.users)

    async def suspend(self, identity, reason):
        self.suspended[identity.subject] = reason

    async def sync_user(self, identity):
        self.told.append(identity)
        if self.refuse:
            raise self.refuse


async def synced(directory, server, percent=25):
    await Sync(Asking("ldap", directory), server, percent).once()
    return server


async def test_who_is_there_is_told_of_with_groups(now):
    server = await synced(FakeDirectory(person("ann")), FakeServer(user("ann", now)))
    [told] = server.told
    assert (told.identity, told.email, told.groups) == (
        Identity("ldap", "ann"), "ann@example.com", ("group:dev@example.com",),
    )  # fmt: skip
    assert server.suspended == {}


async def test_who_is_gone_or_disabled_is_suspended_with_the_reason(now):
    directory = FakeDirectory(person("ann"), person("bob", why_not="the account is disabled in the directory"))
    server = await synced(directory, FakeServer(user("ann", now), user("bob", now), user("eve", now)))
    assert server.suspended == {"bob": "the account is disabled in the directory", "eve": GONE}
    assert [told.name for told in server.told] == ["ann"]


async def test_who_is_back_is_told_of(now):
    server = FakeServer(user("ann", now, UserStatus.SUSPENDED))
    assert [told.name for told in (await synced(FakeDirectory(person("ann")), server)).told] == ["ann"]


async def test_who_is_suspended_already_is_left_alone(now):
    server = await synced(FakeDirectory(), FakeServer(user("ann", now, UserStatus.SUSPENDED)))
    assert (server.suspended, server.told) == ({}, [])


async def test_users_of_other_providers_are_nobodys_business_here(now):
    directory = FakeDirectory(person("ann"))
    server = await synced(directory, FakeServer(user("ann", now, provider="oidc")))
    assert (server.told, directory.asked) == ([], [])


@pytest.mark.parametrize("error", [DirectoryError("shows no user at all"), UnreachableError("does not answer")])
async def test_a_directory_that_gives_no_sound_answer_changes_nothing(caplog, now, error):
    directory = FakeDirectory()
    directory.error = error
    server = await synced(directory, FakeServer(user("ann", now)))
    assert (server.suspended, server.told) == ({}, [])
    assert f"stay as they are: {error}" in caplog.text


async def test_a_sync_that_would_suspend_many_suspends_nobody(caplog, now):
    users = [user(f"user{number}", now) for number in range(12)]
    here = [person(each.name) for each in users[:8]]
    server = await synced(FakeDirectory(*here), FakeServer(*users))
    assert (server.suspended, server.told) == ({}, [])
    assert "4 of 12 would be suspended" in caplog.text
    assert "suspend_at_most_percent" in caplog.text
    assert len((await synced(FakeDirectory(*here), FakeServer(*users), percent=50)).suspended) == 4


def users_and_people(now, there, gone):
    users = [user(f"user{number}", now) for number in range(there + gone)]
    return {each.identities[0]: each for each in users}, {each.name: person(each.name) for each in users[:there]}


@pytest.mark.parametrize(
    ("there", "gone", "percent", "too_much"),
    [(1, 1, 25, False), (0, 2, 25, False), (0, 3, 25, True), (9, 3, 25, False), (8, 4, 25, True), (0, 9, 100, False)],
)
async def test_two_may_always_go_and_otherwise_a_part(now, there, gone, percent, too_much):
    assert plan(*users_and_people(now, there, gone)).too_much(percent) is too_much


async def test_a_plugins_objection_concerns_one_user_alone(now):
    server = FakeServer(user("ann", now), user("bob", now))
    server.refuse = RefusedError("not today")
    await synced(FakeDirectory(person("ann"), person("bob")), server)
    assert [told.name for told in server.told] == ["ann", "bob"]


async def test_a_storage_that_fails_ends_the_sync_and_not_the_server(caplog, now):
    server = FakeServer(user("ann", now), user("bob", now))
    server.refuse = StorageError("disk full")
    await synced(FakeDirectory(person("ann"), person("bob")), server)
    assert "disk full" in caplog.text


@pytest.mark.parametrize("error", [None, DirectoryError("does not answer"), RuntimeError("hinges")])
async def test_it_goes_on_from_time_to_time_whatever_happens(now, error):
    directory, server = FakeDirectory(person("ann")), FakeServer(user("ann", now))
    directory.error = error
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Sync(Asking("ldap", directory), server, 25).run, 0.01)
        with anyio.fail_after(10):
            await directory.thrice.wait()
        tasks.cancel_scope.cancel()


async def test_of_several_replicas_one_does_it_and_another_goes_on_for_it(now, monkeypatch):
    monkeypatch.setattr("hatsize_ldap.sync.LOOK_EVERY", 0.01)
    directory, server = FakeDirectory(person("ann")), FakeServer(user("ann", now))
    server.ours = False
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Sync(Asking("ldap", directory), server, 25).run, 900)
        await anyio.sleep(0.1)
        assert (directory.asked, server.duties) == ([], {"ldap:syncing users of ldap"})
        server.ours = True
        with anyio.fail_after(10):
            await directory.once.wait()
        await anyio.sleep(0.05)
        assert directory.asked == [["ann"]], "the next one is not due yet"
        tasks.cancel_scope.cancel()
