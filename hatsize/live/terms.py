"""The terms a tailnet goes by: the configured ones, and over them what was set at run time."""

from dataclasses import replace
from datetime import timedelta

from hatsize.live.services import Terms
from hatsize.tailnet.settings import TailnetSettings, chosen_settings
from hatsize.tailnet.state import State

DAY = timedelta(days=1)


def in_force(configured: Terms, state: State) -> Terms:
    """The terms, with what was set at run time."""
    chosen = chosen_settings(state)
    return replace(
        configured,
        approval=configured.approval if chosen.approval is None else chosen.approval,
        key_expiry=configured.key_expiry if chosen.key_days is None else chosen.key_days * DAY,
        auto_update=configured.auto_update if chosen.auto_update is None else chosen.auto_update,
    )


def as_settings(terms: Terms) -> TailnetSettings:
    """The part of the terms that can be set at run time; an expiry that is no number of days is none."""
    lasts = terms.key_expiry
    days = lasts // DAY if lasts and not lasts % DAY else None
    return TailnetSettings(approval=terms.approval, key_days=days, auto_update=terms.auto_update)
