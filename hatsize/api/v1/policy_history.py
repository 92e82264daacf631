"""API v1: the policies that were in force, newest first."""

from hatsize.api.operation import Area, Call
from hatsize.api.policy_saving import put_in_force
from hatsize.api.reading import read_id
from hatsize.api.schema import Answer, Id, Time, go_time
from hatsize.api.v1.policy import SavedPolicyAnswer, saved_json
from hatsize.api.v1.schema import PolicyAnswer
from hatsize.tailnet.errors import NotFoundError
from hatsize.tailnet.model import PolicyVersion
from hatsize.tailnet.state import State

area = Area("Policy")


class VersionJson(Answer):
    version: Id
    author: str
    created_at: Time
    in_force: bool


class HistoryAnswer(Answer):
    versions: list[VersionJson]


@area.add("GET", "/policy/history", "listPolicyVersions", "List the policies that were saved, the newest first")
async def list_versions(call: Call) -> HistoryAnswer:
    versions = sorted(call.live.state.all(PolicyVersion), key=lambda version: version.id, reverse=True)
    return HistoryAnswer(
        versions=[
            VersionJson(
                version=str(version.id),
                author=version.author,
                created_at=go_time(version.created),
                in_force=version is versions[0],
            )
            for version in versions
        ]
    )


@area.add("GET", "/policy/history/{version}", "getPolicyVersion", "Show a policy that was saved")
async def get_version(call: Call, version: str) -> PolicyAnswer:
    found = _version(call.live.state, version)
    return PolicyAnswer(policy=found.document, updated_at=go_time(found.created))


@area.add(
    "POST", "/policy/history/{version}/revert", "revertPolicy", "Put a policy that was saved in force again, checked"
)
async def revert(call: Call, version: str) -> SavedPolicyAnswer:
    return saved_json(await put_in_force(call, _version(call.live.state, version).document))


def _version(state: State, version: str) -> PolicyVersion:
    found = state.find(PolicyVersion, read_id(version, "a policy version"))
    if found is None:
        raise NotFoundError(f"there is no policy version {version}: see `hatsize policy history`")
    return found
