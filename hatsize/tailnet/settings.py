"""Settings that were changed at run time, which go before those of the settings file.

They are kept in the tailnet's record, under the names they have in that file.
"""

import msgspec

from hatsize.tailnet.model import Tailnet
from hatsize.tailnet.state import State

KEYS = {
    "approval": "node.approval",
    "key_days": "node.expiry",
    "auto_update": "auto_update.enabled",
    "policy_elsewhere": "policy.managed_elsewhere",
    "policy_link": "policy.link",
}
"""Under which name each is kept. The last two stand in no settings file."""


class TailnetSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename=KEYS):
    """A choice of settings; None leaves the configured one in force."""

    approval: bool | None = None
    """Whether a machine that its user logged in waits for an administrator's approval."""
    key_days: int | None = None
    """How many days a node's key is good for."""
    auto_update: bool | None = None
    """Whether clients that were never told otherwise update themselves."""
    policy_elsewhere: bool | None = None
    """Whether people keep the policy somewhere else, as in a repository, and should not change it here."""
    policy_link: str | None = None
    """Where they keep it."""


def chosen_settings(state: State) -> TailnetSettings:
    """What was set at run time."""
    tailnet = state.find(Tailnet, state.tailnet_id)
    return msgspec.convert(tailnet.settings if tailnet else {}, TailnetSettings)
