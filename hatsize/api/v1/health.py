"""API v1: health."""

from msgspec import UNSET, UnsetType

from hatsize.api.operation import Area, Call
from hatsize.api.schema import Answer

area = Area("Health")


class HealthAnswer(Answer):
    database_connectivity: bool
    warnings: list[str] | UnsetType = UNSET
    """What the administrator should mend; absent when there is nothing."""


@area.add("GET", "/health", "health", "Tell whether the storage can be reached and takes changes")
async def health(call: Call) -> HealthAnswer:
    storage = await call.live.storage_problem()
    problems = {"storage": storage, "policy": call.live.policy.problem}
    warnings = [f"{what}: {problem}" for what, problem in problems.items() if problem]
    return HealthAnswer(database_connectivity=not storage, warnings=warnings or UNSET)
