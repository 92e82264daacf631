"""`POST /machine/register`: how a client becomes a node, stays one, and stops being one (protocol fact sheet, 4)."""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from hatsize.control import deciding
from hatsize.control.logins import Logins
from hatsize.control.peer import Peer
from hatsize.hooks.auth import AskUser, Deny, Registration
from hatsize.hooks.ipam import NoAddressError
from hatsize.hooks.storage import StorageError
from hatsize.live.tailnet import LiveTailnet
from hatsize.netmap.peers import is_expired
from hatsize.tailnet.commands import register
from hatsize.tailnet.commands.logins import AUTH_ID_BYTES
from hatsize.tailnet.commands.logins import auth_id as new_auth_id
from hatsize.tailnet.commands.register import Allow, TagRefusedError, Tools, waiting_registration
from hatsize.tailnet.errors import RefusedError
from hatsize.tailnet.model import Change, LoginState, Node, User
from hatsize.tailnet.state import State
from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import Login, RegisterRequest, RegisterResponse

log = logging.getLogger(__name__)

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def mint_stable_id() -> str:
    """A stable node id in the hosted service's form, `n…CNTRL`."""
    return "n" + "".join(secrets.choice(BASE58) for _ in range(11)) + "CNTRL"


@dataclass(slots=True)
class _Verdict:
    """What a registration command decided, besides its change."""

    error: str = ""
    ask: str = ""
    """The auth id of the login that somebody has to approve."""


class Registrar:
    """Registers clients with a tailnet. The answers are what goes to the client; none of them is an HTTP error."""

    def __init__(self, live: LiveTailnet, logins: Logins, login_url: Callable[[str], str]) -> None:
        self._live = live
        self._login_url = login_url
        self._logins = logins

    async def register(self, peer: Peer, request: RegisterRequest, remote: str) -> RegisterResponse:
        """Answer a request; waits when the client follows a login up."""
        state, now = self._live.state, self._live.clock()
        if register.foreign_key(state, peer.machine_key, request):
            return RegisterResponse(Error="the node key belongs to another machine; log in again to make a new one")
        try:
            if register.known_node(state, peer.machine_key, request) is None:
                await self._live.refresh()
            node = register.known_node(state, peer.machine_key, request)
            if request.Expiry is not None:
                return await self._expire(node, request.Expiry)
            if node is not None and not is_expired(node, now):
                return self._welcome(node)  # it starts anew; an auth key it repeats is not looked at
            if request.Followup:
                return await self._follow_up(peer, request, remote)
            if node is not None and not _has_key(request):
                return RegisterResponse(NodeKeyExpired=True, MachineAuthorized=node.authorized)
            return await self._decide(peer, request, remote)
        except (RefusedError, TagRefusedError, NoAddressError) as error:
            return RegisterResponse(Error=str(error))
        except StorageError as error:
            log.warning("registration not stored: %s", error)
            return RegisterResponse(Error=f"the server cannot store registrations now, try again: {error}")

    async def approve(self, auth_id: str, user_id: int, method: str) -> Node:
        """Somebody approved a pending login for a user: the node it became. Raises RefusedError, StorageError."""
        return await self._complete(auth_id, Allow(user_id=user_id, method=method))

    async def _complete(self, auth_id: str, allowed: Allow) -> Node:
        terms = self._terms(allowed)

        def command(state: State) -> Change:
            return register.complete_login(state, auth_id, terms, self._tools())

        try:
            change = await self._live.run(command)
        except (TagRefusedError, NoAddressError) as error:
            raise RefusedError(str(error)) from error
        return next(record for record in change.puts if isinstance(record, Node)) if change else _impossible()

    async def log_in(self, auth_id: str, user: User, method: str, key_expiry: datetime | None = None) -> Node:
        """A user logged in for a pending login: the node it became. Plugins have a say, as in any registration.

        Raises RefusedError with the reason, and StorageError.
        """
        login = waiting_registration(self._live.state, auth_id, self._live.clock())
        request = tailcfg.decode(RegisterRequest, login.request)
        node = register.known_node(self._live.state, login.machine_key, request)
        registration = Registration(request, login.machine_key, node, "", self._live.clock())
        authorized = not self._live.terms.approval
        terms = Allow(user_id=user.id, method=method, key_expiry=key_expiry, authorized=authorized)
        objection = await self._live.services.plugins.registration(self._live.state, registration, user)
        match deciding.after(deciding.Hearing(terms, objection), terms):
            case Allow() as allowed:
                return await self._complete(auth_id, allowed)
            case Deny(reason):
                raise RefusedError(reason)
        raise RefusedError("an administrator has to approve this machine")

    async def _expire(self, node: Node | None, expiry: datetime) -> RegisterResponse:
        """A client logs out, or wants its key to expire sooner. What is no node has nothing to lose."""
        now = self._live.clock()

        def command(state: State) -> Change | None:
            current = state.find(Node, node.id if node else None)
            if current is None:
                return None
            return (
                register.log_out(state, current, now)
                if expiry <= now
                else register.shorten(state, current, expiry, now)
            )

        await self._live.run(command)
        return RegisterResponse(NodeKeyExpired=expiry <= now, MachineAuthorized=True)

    async def _decide(self, peer: Peer, request: RegisterRequest, remote: str) -> RegisterResponse:
        verdict = _Verdict()
        auth_id = new_auth_id(secrets.token_bytes(AUTH_ID_BYTES))

        def asked(state: State) -> Registration:
            node = register.known_node(state, peer.machine_key, request)
            return Registration(request, peer.machine_key, node, remote, self._live.clock())

        heard = await deciding.hearing(self._live, asked(self._live.state))

        def command(state: State) -> Change | None:
            now, room = self._live.clock(), self._live.terms.waiting_room
            decision = deciding.after(heard, deciding.decision_on(self._live, state, asked(state)))
            verdict.error = verdict.ask = ""
            match decision:
                case Allow():
                    return register.admit(state, peer.machine_key, request, self._terms(decision), self._tools())
                case AskUser():
                    waiting = register.login_of(state, peer.machine_key, request.NodeKey, now)
                    verdict.ask = waiting.auth_id if waiting else auth_id
                    if waiting:
                        return None
                    return register.start_login(state, peer.machine_key, request, auth_id, now, room=room)
                case Deny(reason):
                    verdict.error = reason
                case None:
                    verdict.error = "this server lets nobody register: enable a way to log in in its settings"
            return None

        change = await self._live.run(command)
        if verdict.error:
            log.info("registration of %s from %s refused: %s", peer.machine_key[:15], remote, verdict.error)
            return RegisterResponse(Error=verdict.error)
        if verdict.ask:
            return RegisterResponse(AuthURL=self._login_url(verdict.ask))
        node = next(record for record in change.puts if isinstance(record, Node)) if change else _impossible()
        log.info("node %d %s (%s) from %s", node.id, node.given_name, change.kind if change else "", remote)
        return self._welcome(node)

    async def _follow_up(self, peer: Peer, request: RegisterRequest, remote: str) -> RegisterResponse:
        """Wait until the login the client's user was sent to is decided."""
        auth_id = request.Followup.rstrip("/").rpartition("/")[2]
        while True:
            login = self._logins.find(auth_id, peer.machine_key)
            if login is None or login.node_key != request.NodeKey:
                return await self._decide(peer, request, remote)
            if login.state is LoginState.REJECTED:
                return RegisterResponse(Error=login.reason or "the login was rejected")
            if login.state is LoginState.APPROVED:
                node = self._live.state.find(Node, login.node_id)
                if node is None:
                    return await self._decide(peer, request, remote)
                return self._welcome(node)
            await self._logins.changed(login)

    def _terms(self, allow: Allow) -> Allow:
        """The terms with the configured expiry where the decider named none."""
        lasts = self._live.terms.key_expiry
        if allow.key_expiry is not None or lasts is None:
            return allow
        return replace(allow, key_expiry=self._live.clock() + lasts)

    def _tools(self) -> Tools:
        live = self._live
        return Tools(
            now=live.clock(),
            mint_id=mint_stable_id,
            addresses=live.addresses,
            may_tag=live.may_tag,
            auto_approved=live.auto_approved,
        )

    def _welcome(self, node: Node) -> RegisterResponse:
        scene = self._live.netmap.scene
        profile = scene.profile(scene.profile_id(node))
        return RegisterResponse(
            User=tailcfg.User(ID=profile.ID, DisplayName=profile.DisplayName, ProfilePicURL=profile.ProfilePicURL),
            Login=Login(
                ID=profile.ID,
                Provider=node.register_method,
                LoginName=profile.LoginName,
                DisplayName=profile.DisplayName,
                ProfilePicURL=profile.ProfilePicURL,
            ),
            MachineAuthorized=node.authorized,
        )


def _has_key(request: RegisterRequest) -> bool:
    return request.Auth is not None and bool(request.Auth.AuthKey)


def _impossible() -> Node:
    raise AssertionError("a command that admits a client has a change")
