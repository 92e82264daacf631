"""What a netmap is drawn from besides the policy: the state, who is online, names, DNS, relays, and the time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from hatsize.netmap.notices import Notices
from hatsize.tailnet.model import Node, User
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import DERPMap, DNSConfig, UserProfile

TAGGED_DEVICES = UserProfile(ID=2147455555, LoginName="tagged-devices", DisplayName="Tagged Devices")
"""The owner that clients are shown for tagged nodes; the number is the one Headscale's users know."""


@dataclass(slots=True)
class Scene:
    """The inputs of the netmap that are not records. Functions must be pure and quick."""

    state: State
    now: Callable[[], datetime]
    base_domain: str
    """The MagicDNS suffix, without a dot at either end."""
    domain: str
    """The tailnet's name as clients show it."""
    dns: Callable[[Node], DNSConfig]
    derp_map: Callable[[int], DERPMap]
    """The DERP map for a capability version."""
    online: set[int] = field(default_factory=set)
    """The ids of the nodes with an open map stream, or one that closed only a moment ago."""
    collect_services: bool = False
    taildrop: bool = True
    """Whether nodes may send files to each other."""
    logtail: bool = False
    """Whether clients may send their logs to their maker."""
    auto_update: bool = False
    """Whether clients that were never told otherwise update themselves."""
    notices: Notices = field(default_factory=Notices)
    """What clients are told of updates, and of ways to dial the server."""

    def is_online(self, node_id: int) -> bool:
        return node_id in self.online

    def fqdn(self, node: Node) -> str:
        return f"{node.given_name}.{self.base_domain}."

    def profile_id(self, node: Node) -> int:
        """The id of the profile that is shown as the node's owner."""
        owner = self.state.owner(node)
        return owner.id if owner else TAGGED_DEVICES.ID

    def profile(self, profile_id: int) -> UserProfile:
        """The profile with an id that `profile_id` gave."""
        user = self.state.find(User, profile_id)
        if user is None:
            return TAGGED_DEVICES
        return UserProfile(
            ID=user.id,
            LoginName=user.login_name,
            DisplayName=user.display_name or user.name,
            ProfilePicURL=user.picture_url,
            Groups=user.groups,
        )
