"""API v1: health."""

from msgspec import UNSET, UnsetType

from hatsize.api.v1.operation import Area, Call
from hatsize.api.v1.schema import Answer

area = Area("Health")


class HealthAnswer(Answer):
    database_connectivity: bool
    warnings: list[str] | UnsetType = UNSET
    """What the administrator should mend; absent when there is nothing."""


@area.add("GET", "/health", "health", "Tell whether the storage can be reached")
async def health(call: Call) -> HealthAnswer:
    problem = call.live.policy.problem
    return HealthAnswer(
        database_connectivity=await call.live.storage_answers(), warnings=[f"policy: {problem}"] if problem else UNSET
    )
