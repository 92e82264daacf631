"""The first start: a tailnet, a user, and a key to join with."""

from contextlib import suppress
from datetime import datetime, timedelta

from hatsize.api.minting import minted_secret
from hatsize.hooks.storage import ConflictError, Storage
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.model import Change, Credential, CredentialKind, Node, Role, Tailnet, User
from hatsize.tailnet.state import State

FIRST_USER = "default"
KEY_LIFETIME = timedelta(hours=1)


def open_tailnet(storage: Storage, name: str, now: datetime) -> State:
    """The stored tailnet, or a new one with a first user, who owns it."""
    tailnets = storage.tailnets()
    if not tailnets:
        tailnet = Tailnet(id=1, tailnet=1, name=name, created=now)
        user = User(id=1, tailnet=1, name=FIRST_USER, role=Role.OWNER, created=now)
        with suppress(ConflictError):  # another replica was quicker
            storage.commit([Change(tailnet=1, kind="tailnet.created", puts=(tailnet, user), actor="server", at=now)], 0)
        tailnets = [tailnet]
    snapshot = storage.load(tailnets[0].id)
    return State.load(tailnets[0].id, snapshot.seq, snapshot.records, snapshot.last_ids)


async def join_key(live: LiveTailnet) -> str | None:
    """A one-time auth key to print at the start, as long as no node has ever joined; None afterwards."""
    state = live.state
    user = min(state.all(User), key=lambda user: user.id, default=None)
    if state.table(Node) or user is None:
        return None
    minted = minted_secret(CredentialKind.AUTH_KEY)
    now = live.clock()

    def command(state: State) -> Change:
        former = tuple(
            (Credential.table, key.id)
            for key in state.all(Credential)
            if key.description == DESCRIPTION and not key.uses
        )
        key = Credential(
            id=state.next_id(Credential),
            tailnet=state.tailnet_id,
            kind=CredentialKind.AUTH_KEY,
            prefix=minted.prefix,
            hash=minted.hash,
            user_id=user.id,
            description=DESCRIPTION,
            created=now,
            expires=now + KEY_LIFETIME,
        )
        return Change(
            tailnet=state.tailnet_id, kind="credential.created", puts=(key,), deletes=former, actor="server", at=now
        )

    await live.run(command)
    return minted.text


DESCRIPTION = "printed at the start"
