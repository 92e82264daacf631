"""Logins that another replica took: whoever is asked about there is asked about here no more.

Else the end of a session that is old here would shut somebody out who has a newer one there.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from hatsize.tailnet.model import Change, Identity, LoginState, PendingLogin, User
from hatsize.tailnet.state import State


class Elsewhere:
    """Tells logins of other replicas from those that are taken here, by the events that all of them bring."""

    def __init__(self, providers: Collection[str]) -> None:
        self._providers = providers
        self._here: Counter[Identity] = Counter()

    @contextmanager
    def not_so(self, identity: Identity) -> Iterator[None]:
        """What is done inside lets somebody in here; its event is still to come."""
        self._here[identity] += 1
        try:
            yield
        except BaseException:
            self._here[identity] -= 1
            raise

    def who(self, state: State, change: Change) -> Identity | None:
        """Who has logged in at another replica, if that is what a change tells."""
        login = next((each for each in change.puts if isinstance(each, PendingLogin)), None)
        if change.actor not in self._providers or login is None or login.state is not LoginState.APPROVED:
            return None
        user = state.find(User, login.user_id)
        identities = user.identities if user else ()
        identity = next((each for each in identities if each.provider == change.actor), None)
        if identity is not None and self._here[identity] > 0:
            self._here[identity] -= 1
            return None
        return identity
