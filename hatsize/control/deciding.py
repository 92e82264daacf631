"""Who decides on a registration: the deciders in their order, and then every plugin that has a say against it."""

from dataclasses import dataclass, replace
from functools import partial

from hatsize.hooks.auth import Allow, AskUser, Decision, Deny, Registration
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.model import User
from hatsize.tailnet.state import State

_UNDECIDED: Decision | None = Deny("the server could not decide on this machine, try again later")
_OTHERWISE = Deny("what this server allows has just changed: try again")


@dataclass(frozen=True, slots=True)
class Hearing:
    """What the plugins said to a registration that would be allowed on these terms."""

    terms: Allow | None
    objection: Decision | None


def decision_on(live: LiveTailnet, state: State, registration: Registration) -> Decision | None:
    """What the deciders say; None when none of them says anything. One that fails says no."""
    at_once = live.services.plugins.calls.at_once
    decisions = (
        at_once(each.name, "RegistrationDecider.decide", partial(each.decide, state, registration), _UNDECIDED)
        for each in live.services.deciders
    )
    return next((found for found in decisions if found is not None), None)


async def hearing(live: LiveTailnet, registration: Registration) -> Hearing | None:
    """Ask the plugins, which may take its time; None where there are none to ask."""
    plugins, state = live.services.plugins, live.state
    if not plugins.implementations("hatsize_registration"):
        return None
    decision = decision_on(live, state, registration)
    if not isinstance(decision, Allow):
        return Hearing(None, None)
    user = None if decision.tags else state.find(User, decision.user_id)
    return Hearing(decision, await plugins.registration(state, registration, user))


def after(heard: Hearing | None, decision: Decision | None) -> Decision | None:
    """The decision with what was said against it. One to allow on other terms than were heard is not carried out."""
    if heard is None or not isinstance(decision, Allow):
        return decision
    if heard.terms is None or replace(decision, key_expiry=None) != replace(heard.terms, key_expiry=None):
        return _OTHERWISE
    match heard.objection:
        case Deny() | AskUser():
            return heard.objection
        case Allow(authorized=authorized):
            return replace(decision, authorized=decision.authorized and authorized)
    return decision
