"""Users as they are now in the directory, from time to time: groups, who may not log in any more, who may again."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic

import anyio

from hatsize.hooks.lifecycle import Server
from hatsize.hooks.storage import StorageError
from hatsize.tailnet.errors import RefusedError
from hatsize.tailnet.model import Identity, User, UserStatus
from hatsize_ldap.errors import DirectoryError
from hatsize_ldap.people import Person
from hatsize_ldap.provider import Asking, identity_of

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
"""Seconds between looks at whether it is this replica's turn."""
DEADLINE = 300.0
"""Seconds for looking everybody up."""
ALWAYS_ALLOWED = 2
"""How many users may be suspended by one sync whatever part of all they are."""
GONE = "the account is not in the directory any more"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sync would do."""

    suspend: Mapping[Identity, str] = field(default_factory=dict)
    """Whom, with the reason."""
    tell: tuple[tuple[Identity, Person], ...] = ()
    """Who may log in, as they are now."""
    active: int = 0
    """How many of the directory's users were active before."""

    def too_much(self, percent: int) -> bool:
        """Whether it would suspend more than a change in the directory explains."""
        return len(self.suspend) > max(ALWAYS_ALLOWED, self.active * percent // 100)


def plan(users: Mapping[Identity, User], people: Mapping[str, Person]) -> Plan:
    """What has to be done so that users are as the directory's people are."""
    suspend: dict[Identity, str] = {}
    tell = []
    for identity, user in users.items():
        person = people.get(identity.subject)
        if person is not None and not person.why_not:
            tell.append((identity, person))
        elif user.status is UserStatus.ACTIVE:
            suspend[identity] = person.why_not if person else GONE
    active = sum(user.status is UserStatus.ACTIVE for user in users.values())
    return Plan(suspend, tuple(tell), active)


class Sync:
    """Keeps the users of one directory as they are there.

    Args:
        percent: how many of the active ones may be suspended at once; a sync that would suspend more does nothing.
    """

    def __init__(self, asking: Asking, server: Server, percent: int) -> None:
        self._asking = asking
        self._server = server
        self._percent = percent

    async def run(self, seconds: float) -> None:
        """Sync every so many seconds, until cancelled, where this is the replica to do it."""
        due, duty = monotonic(), f"ldap:syncing users of {self._asking.name}"
        while True:
            if self._server.is_ours(duty) and monotonic() >= due:
                due = monotonic() + seconds
                try:
                    await self.once()
                except Exception:  # the next one may go better, and must not be lost with this one
                    log.exception("users are not synced, and stay as they are")
            await anyio.sleep(min(seconds, LOOK_EVERY))

    async def once(self) -> None:
        """Sync; a directory that gives no sound answer changes nothing."""
        users = self._users()
        if not users:
            return
        subjects = [identity.subject for identity in users]
        try:
            people = await self._asking(lambda directory: directory.people(subjects, datetime.now(UTC)), DEADLINE)
        except DirectoryError as error:
            log.warning("users are not synced, and stay as they are: %s", error)
            return
        planned = plan(users, people)
        if planned.too_much(self._percent):
            log.error(
                "users are not synced, and stay as they are: %d of %d would be suspended, which looks like a mistake. "
                "If it is none, raise plugins.ldap.suspend_at_most_percent",
                len(planned.suspend),
                planned.active,
            )
            return
        await self._carry_out(planned)

    def _users(self) -> dict[Identity, User]:
        """Whoever has logged in through this directory."""
        return {
            identity: user
            for user in self._server.state.all(User)
            for identity in user.identities
            if identity.provider == self._asking.name
        }

    async def _carry_out(self, planned: Plan) -> None:
        try:
            for identity, reason in planned.suspend.items():
                user = await self._server.suspend(identity, reason)
                log.warning("user %s is suspended: %s", user.name if user else identity.subject, reason)
            for identity, person in planned.tell:
                try:
                    await self._server.sync_user(identity_of(identity.provider, person))
                except RefusedError as error:
                    log.info("user %s is not synced: %s", person.name, error)
        except StorageError as error:
            log.warning("users are not synced to the end, the next sync goes on: %s", error)
