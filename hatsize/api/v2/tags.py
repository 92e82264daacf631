"""Which tags the one who asks may give away: to a device, with a key, or with another OAuth client."""

from collections.abc import Iterable
from http import HTTPStatus

from hatsize.api.operation import Call
from hatsize.api.problems import Problem
from hatsize.tailnet.scopes import ALL


def check_tags(call: Call, tags: Iterable[str]) -> None:
    """Raise the 403 problem for a tag that is not the one who asks' to give.

    An OAuth client may give the tags it has and those that its tags own by the policy; who has the scope `all` could
    change the policy, and may give every one.
    """
    if ALL in call.principal.scopes:
        return
    held = call.principal.tags
    for tag in tags:
        if tag not in held and not call.live.policy.owns_tag(held, tag):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                f"{tag} is not among the tags of this OAuth client ({', '.join(held) or 'none'}), nor owned by one of "
                "them: give the client the tag, or name one of its tags under tagOwners",
            )
