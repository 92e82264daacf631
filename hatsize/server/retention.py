"""What a server forgets in time: old keys and tokens, posture attributes, plugins' items, the log all have read."""

from datetime import datetime, timedelta

from anyio import to_thread

from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.commands.attributes import forget_attributes
from hatsize.tailnet.commands.oauth import expired_tokens
from hatsize.tailnet.commands.plugin_items import forget_items
from hatsize.tailnet.model import Change, Credential, CredentialKind
from hatsize.tailnet.state import State

LOG_KEPT = timedelta(days=1)
"""How much of the change log stays; replicas read it within seconds, and one that was away for longer loads anew."""


async def forget_auth_keys(live: LiveTailnet) -> None:
    """Remove the auth keys that were revoked, or have expired, for longer than the settings keep them.

    Expired tokens of OAuth clients go with them.
    """

    def command(state: State) -> Change | None:
        now = live.clock()
        past = now - live.terms.revoked_retention
        over = [key.id for key in state.all(Credential) if _is_over(key, past)] + expired_tokens(state, now)
        if not over:
            return None
        gone = tuple((Credential.table, number) for number in over)
        return Change(tailnet=state.tailnet_id, kind="credential.deleted", deletes=gone, actor="server", at=now)

    await live.run(command)


async def forget_posture(live: LiveTailnet) -> None:
    """Remove the posture attributes whose time is over."""
    await live.run(lambda state: forget_attributes(state, live.clock(), actor="server"))


async def forget_plugin_items(live: LiveTailnet) -> None:
    """Remove what plugins have kept for a while that is over."""
    await live.run(lambda state: forget_items(state, live.clock(), actor="server"))


async def trim_log(live: LiveTailnet) -> None:
    """Cut the storage's change log short."""
    await to_thread.run_sync(live.services.storage.trim, live.clock() - LOG_KEPT)


def _is_over(key: Credential, past: datetime) -> bool:
    ends = [moment for moment in (key.expires, key.revoked) if moment is not None]
    return key.kind is CredentialKind.AUTH_KEY and bool(ends) and min(ends) <= past
