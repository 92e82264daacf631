"""Telling which settings were changed at run time, so that nobody looks for them in the settings file in vain."""

import logging

from hatsize.live.tailnet import LiveTailnet
from hatsize.live.terms import as_settings
from hatsize.tailnet.settings import KEYS, chosen_settings

log = logging.getLogger(__name__)


def tell_changed(live: LiveTailnet) -> None:
    """Log the settings that go by what was set at run time, where the settings file says something else."""
    chosen, configured = chosen_settings(live.state), as_settings(live.configured)
    changed = [
        KEYS[name]
        for name in ("approval", "key_days", "auto_update")
        if getattr(chosen, name) not in (None, getattr(configured, name))
    ]
    if changed:
        log.info("set at run time by API v2, which goes before the settings file: %s", ", ".join(changed))
