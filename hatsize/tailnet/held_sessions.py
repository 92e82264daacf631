"""What is written down of an SSH session that waits for a check: the `request` of its pending login."""

import msgspec

from hatsize.tailnet.model import PendingLogin

PURPOSE = "ssh"
"""The `purpose` of such a login."""


class HeldSession(msgspec.Struct, frozen=True):
    """Names for people, and the id of the node it is to."""

    source: str
    target: str
    account: str
    target_id: int = 0


def session_of(login: PendingLogin) -> HeldSession:
    """The session that waits for a login with this module's purpose."""
    return msgspec.json.decode(login.request, type=HeldSession)
