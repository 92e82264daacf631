"""Settings of the tailnet, changed at run time."""

from datetime import datetime

import msgspec
from msgspec.structs import asdict, replace

from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.model import Change
from hatsize.tailnet.settings import KEYS, TailnetSettings, chosen_settings
from hatsize.tailnet.state import State
from hatsize.tailnet.urls import is_web_page

MOST_DAYS = 36500


def change_settings(state: State, update: TailnetSettings, configured: TailnetSettings, now: datetime) -> Change | None:
    """Other settings, None in the update leaving one as it is; None when they are so already.

    One that is set to what is configured follows the configuration from then on. Raises InvalidError.
    """
    _check(update)
    given = {name: value for name, value in asdict(update).items() if value is not None}
    kept = {name: None if value == getattr(configured, name) else value for name, value in given.items()}
    former = chosen_settings(state)
    chosen = replace(former, **kept)
    if chosen == former:
        return None
    others = {key: value for key, value in state.tailnet.settings.items() if key not in KEYS.values()}
    tailnet = replace(state.tailnet, settings={**others, **msgspec.to_builtins(chosen)})
    return Change(tailnet=state.tailnet_id, kind="tailnet.updated", puts=(tailnet,), at=now)


def _check(update: TailnetSettings) -> None:
    if update.key_days is not None and not 1 <= update.key_days <= MOST_DAYS:
        raise InvalidError(f"a key is good for 1 to {MOST_DAYS} days, not {update.key_days}")
    if update.policy_link and not is_web_page(update.policy_link):
        raise InvalidError(f"{update.policy_link[:80]!r} is not a web page's URL: give one that begins with https://")
