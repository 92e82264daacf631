"""Pending logins as control sees them: finding one, and waiting until somebody has decided it."""

import asyncio

from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.model import Change, LoginState, PendingLogin
from hatsize.wire.keys import MachineKey


class Logins:
    """The logins of a tailnet that wait for somebody's decision."""

    def __init__(self, live: LiveTailnet) -> None:
        self._live = live
        self._waiting: dict[str, set[asyncio.Event]] = {}
        live.listen(self._heard)

    def find(self, auth_id: str, machine_key: MachineKey) -> PendingLogin | None:
        """The machine's login with an id; None when there is none, or its time is over."""
        state = self._live.state
        login = state.find(PendingLogin, state.index.login_by_auth_id.get(auth_id))
        if login is None or login.machine_key != machine_key:
            return None
        over = login.state is LoginState.PENDING and login.expires <= self._live.clock()
        return None if over else login

    async def changed(self, login: PendingLogin, *, at_most: float | None = None) -> None:
        """Return when something about the login changed, or its time is over, or `at_most` seconds passed."""
        left = max((login.expires - self._live.clock()).total_seconds(), 0.0) + 0.1
        event = asyncio.Event()
        waiting = self._waiting.setdefault(login.auth_id, set())
        waiting.add(event)
        try:
            async with asyncio.timeout(left if at_most is None else min(left, at_most)):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            waiting.discard(event)
            if not waiting:
                self._waiting.pop(login.auth_id, None)

    def _heard(self, change: Change) -> None:
        for record in change.puts:
            if isinstance(record, PendingLogin):
                for event in self._waiting.get(record.auth_id, ()):
                    event.set()
