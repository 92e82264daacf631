"""API v1: health."""

from hatsize.api.v1.operation import Area, Call
from hatsize.api.v1.schema import Answer

area = Area("Health")


class HealthAnswer(Answer):
    database_connectivity: bool


@area.add("GET", "/health", "health", "Tell whether the storage can be reached")
async def health(call: Call) -> HealthAnswer:
    return HealthAnswer(database_connectivity=await call.live.storage_answers())
