"""What is in force when the policy or the users have changed."""

from collections.abc import Sequence

from hatsize.hooks.policy import CompiledPolicy, PolicyEngine, RevisingPolicyEngine
from hatsize.tailnet.commands.policy import policy_in_force
from hatsize.tailnet.state import State


def revised(
    engine: PolicyEngine, former: CompiledPolicy, document: str | None, state: State, nodes: Sequence[int]
) -> tuple[CompiledPolicy, int | None]:
    """The policy compiled for the state as it is, and the bitset of the nodes that are affected; None for all.

    `nodes` have changed with the document or the users.
    """
    found = engine.revise(former, document, state, nodes) if isinstance(engine, RevisingPolicyEngine) else None
    return found or (engine.compile(document, state), None)


def stored_policy(state: State) -> str | None:
    """The document in force; None where none was ever saved."""
    found = policy_in_force(state)
    return found.document if found else None
