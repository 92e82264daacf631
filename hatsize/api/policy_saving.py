"""Putting a policy in force, for every version of the API."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hatsize.api.operation import Call
from hatsize.api.problems import bad_request
from hatsize.tailnet.commands.policy import save_policy
from hatsize.tailnet.model import PolicyVersion
from hatsize.tailnet.state import State


@dataclass(frozen=True, slots=True)
class SavedPolicy:
    """A policy that is in force now."""

    version: PolicyVersion
    warnings: Sequence[str]


def _always(_: State) -> None:
    """No condition."""


async def put_in_force(call: Call, document: str, condition: Callable[[State], None] = _always) -> SavedPolicy:
    """Save a document as the newest version.

    `condition` raises where the state it would be saved on is not the one that was meant. Raises PolicyError too, and
    the 400 problem where the policy comes from a file.
    """
    policy = call.live.policy
    if policy.read_only:
        raise bad_request(policy.read_only)
    warnings: list[str] = []

    def check(text: str, state: State) -> Sequence[str]:
        condition(state)
        warnings[:] = policy.check(text, state)
        return warnings

    version = await call.put(
        PolicyVersion, lambda state: save_policy(state, document, check, call.now, author=call.principal.actor)
    )
    return SavedPolicy(version, warnings)
