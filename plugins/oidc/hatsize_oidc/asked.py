"""What waits for a login: a machine that wants to join, or an SSH session that wants to go on."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from hatsize.hooks.lifecycle import Server
from hatsize.tailnet.model import LoginState, PendingLogin
from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import RegisterRequest
from hatsize_oidc.failures import StaleFailure

REGISTER = "register"
KEY_SHOWN = 17
"""Letters of the machine key, as the login page shows it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A pending login, as its page tells it."""

    auth_id: str
    is_machine: bool
    """Else it is an SSH session, and its person has to show anew who they are."""
    what: str
    """`laptop`, or `root on db`."""
    facts: Sequence[tuple[str, str]]


class _Session(msgspec.Struct, frozen=True):
    """What the server keeps of an SSH session that waits, as far as it is shown."""

    source: str = ""
    target: str = ""
    account: str = ""


def asked_for(server: Server, auth_id: str) -> Asked:
    """What waits under an id; StaleFailure when nothing does."""
    login = server.state.find(PendingLogin, server.state.index.login_by_auth_id.get(auth_id))
    if login is None or login.state is not LoginState.PENDING or login.expires <= server.now():
        raise StaleFailure("nothing waits for this login any more: start it again on the machine")
    return _machine(login) if login.purpose == REGISTER else _session(login)


def _machine(login: PendingLogin) -> Asked:
    info = tailcfg.decode(RegisterRequest, login.request).Hostinfo
    name = (info.Hostname if info else "") or "unnamed"
    system = (info.OS if info else "") or "unknown"
    facts = (("Machine", name), ("System", system), ("Machine key", f"{login.machine_key[:KEY_SHOWN]}…"))
    return Asked(login.auth_id, is_machine=True, what=name, facts=facts)


def _session(login: PendingLogin) -> Asked:
    told = msgspec.json.decode(login.request, type=_Session)
    what = f"{told.account} on {told.target}"
    facts = (("SSH session from", told.source), ("To", what))
    return Asked(login.auth_id, is_machine=False, what=what, facts=facts)
