"""`/machine/ssh/action/…`: sessions under a `check` rule are held until somebody approves them (protocol, 6.9)."""

import logging
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec
from quart import Blueprint, Response, request

from hatsize.control.logins import Logins
from hatsize.control.peer import Peer, json_answer, peer_of, text_answer
from hatsize.live.tailnet import LiveTailnet
from hatsize.policy.ssh import SSHCheck
from hatsize.tailnet.commands.logins import AUTH_ID_BYTES, auth_id
from hatsize.tailnet.commands.waiting import making_room
from hatsize.tailnet.held_sessions import PURPOSE, HeldSession, session_of
from hatsize.tailnet.model import Change, LoginState, Node, PendingLogin
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import SSHAction

log = logging.getLogger(__name__)

HELD_FOR = 60.0
"""Seconds after which a waiting client is told to ask again."""


class SSHChecks:
    """Decides on held SSH sessions of a tailnet. Whom it let through is in the state, for every replica to see."""

    def __init__(self, live: LiveTailnet, logins: Logins, login_url: Callable[[str], str]) -> None:
        self._live = live
        self._logins = logins
        self._login_url = login_url

    async def action(self, peer: Peer, source: Node, target: Node, account: str, waiting_for: str) -> SSHAction:
        """What becomes of a session from one node to an account of another; waits when it is asked again."""
        check = self._live.policy.ssh_check(source.id, target.id, account)
        if check is None:
            return _rejected("the policy does not allow this session")
        if self._is_fresh(source, target, check):
            return check.accept
        if not waiting_for:
            return await self._hold(source, target, account)
        login = self._logins.find(waiting_for, peer.machine_key)
        if login is not None and login.state is LoginState.PENDING:
            await self._logins.changed(login, at_most=HELD_FOR)
            login = self._logins.find(waiting_for, peer.machine_key)
        if login is None or login.purpose != PURPOSE or login.node_id != source.id:
            return _rejected("nobody approved this session in time")
        match login.state:
            case LoginState.PENDING:
                return SSHAction(HoldAndDelegate=_again(waiting_for))
            case LoginState.REJECTED:
                return _rejected(login.reason or "this session was rejected")
            case LoginState.APPROVED if self._passed(login) <= self._live.terms.waiting_room.lifetime:
                return check.accept
            case LoginState.APPROVED:
                return _rejected("this approval is used up: begin the session again")

    def _is_fresh(self, source: Node, target: Node, check: SSHCheck) -> bool:
        return check.period is not None and any(
            self._passed(login) < check.period for login in _let_through(self._live.state, source, target)
        )

    def _passed(self, login: PendingLogin) -> timedelta:
        """The time since a check went through."""
        return self._live.clock() - login.created

    async def _hold(self, source: Node, target: Node, account: str) -> SSHAction:
        """Begin a check: a pending login whose page says how to approve it."""
        new_id = auth_id(secrets.token_bytes(AUTH_ID_BYTES))
        now, room = self._live.clock(), self._live.terms.waiting_room
        held = HeldSession(source.given_name, target.given_name, account, target.id)

        def command(state: State) -> Change:
            login = PendingLogin(
                id=state.next_id(PendingLogin),
                tailnet=state.tailnet_id,
                auth_id=new_id,
                purpose=PURPOSE,
                machine_key=target.machine_key,
                node_key=source.node_key,
                request=msgspec.json.encode(held),
                node_id=source.id,
                user_id=source.user_id,
                created=now,
                expires=now + room.lifetime,
            )
            over = making_room(state, room, now)
            return Change(
                tailnet=state.tailnet_id, kind="login.started", puts=(login,), deletes=over, actor="node", at=now
            )

        await self._live.run(command)
        log.info("SSH from %s to %s@%s waits for approval", source.given_name, account, target.given_name)
        words = f"# This session needs an additional check.\n# To approve it, visit: {self._login_url(new_id)}\n"
        return SSHAction(Message=words, HoldAndDelegate=_again(new_id))


def blueprint(live: LiveTailnet, checks: SSHChecks) -> Blueprint:
    """The endpoint that nodes ask about held sessions; only the target's own machine may."""
    routes = Blueprint("ssh_check", __name__)

    @routes.get("/machine/ssh/action/<int:source_id>/to/<int:target_id>")
    async def action(source_id: int, target_id: int) -> Response:
        peer = peer_of(request)
        source, target = live.state.find(Node, source_id), live.state.find(Node, target_id)
        if target is None or target.machine_key != peer.machine_key:
            return text_answer("no such node, or its key is another machine's", 403)
        if source is None:
            return json_answer(_rejected("the source of this session is not a node any more"))
        account, waiting_for = request.args.get("local_user", ""), request.args.get("auth_id", "")
        return json_answer(await checks.action(peer, source, target, account, waiting_for))

    return routes


def _let_through(state: State, source: Node, target: Node) -> Iterator[PendingLogin]:
    """The checks that went through, of sessions from a node, with the owner it has now, to another one."""
    for login in state.all(PendingLogin):
        whose = (login.purpose, login.state, login.node_id, login.user_id)
        allowed = (PURPOSE, LoginState.APPROVED, source.id, source.user_id)
        if whose == allowed and session_of(login).target_id == target.id:
            yield login


def _again(waiting_for: str) -> str:
    return (
        f"https://unused/machine/ssh/action/$SRC_NODE_ID/to/$DST_NODE_ID?local_user=$LOCAL_USER&auth_id={waiting_for}"
    )


def _rejected(message: str) -> SSHAction:
    return SSHAction(Message=message, Reject=True)
