"""The smaller requests inside the tunnel, and the server's key (protocol fact sheet, sections 1, 2.5 and 3)."""

from datetime import datetime

from hatsize.wire import keys
from hatsize.wire.tailcfg.base import Int, Wire, always, lower_first


class OverTLSPublicKeyResponse(Wire, frozen=True, rename=lower_first):
    """The answer of `/key`: the server's Noise key."""

    LegacyPublicKey: keys.MachineKey = always(keys.ZERO_MACHINE_KEY)
    PublicKey: keys.MachineKey = always(keys.ZERO_MACHINE_KEY)


class EarlyNoise(Wire, frozen=True, rename=lower_first):
    """The first thing a server says inside a Noise channel: `chalpub:` and 64 hex digits."""

    NodeKeyChallenge: str = always("chalpub:" + "0" * 64)


class SetDNSRequest(Wire, frozen=True):
    """Publish a TXT record for ACME's dns-01."""

    Version: Int = always(0)
    NodeKey: keys.NodeKey = always(keys.ZERO_NODE_KEY)
    Name: str = always("")
    Type: str = always("")
    Value: str = always("")


class TokenRequest(Wire, frozen=True):
    """Ask for an identity token for `Audience`."""

    CapVersion: Int = always(0)
    NodeKey: keys.NodeKey = always(keys.ZERO_NODE_KEY)
    Audience: str = always("")


class TokenResponse(Wire, frozen=True):
    id_token: str = always("")

    def __repr__(self) -> str:
        return "TokenResponse(…)"


class HealthChangeRequest(Wire, frozen=True):
    """A part of a client became well (empty `Error`) or unwell."""

    Subsys: str = always("")
    Error: str = always("")
    NodeKey: keys.NodeKey = always(keys.ZERO_NODE_KEY)


class SetDeviceAttributesRequest(Wire, frozen=True):
    """Posture attributes a device sets on itself; null deletes one."""

    Version: Int = always(0)
    NodeKey: keys.NodeKey = always(keys.ZERO_NODE_KEY)
    Update: dict[str, str | float | bool | None] = always({})


class AuditLogRequest(Wire, frozen=True):
    """Something a user did on a client that the server's log should hold."""

    Version: Int = always(0)
    NodeKey: keys.NodeKey = always(keys.ZERO_NODE_KEY)
    Action: str = always("")
    Details: str = always("")
    Timestamp: datetime | None = None


class QueryFeatureRequest(Wire, frozen=True):
    """Ask how to turn on `serve` or `funnel`."""

    Feature: str = always("")
    NodeKey: keys.NodeKey = always(keys.ZERO_NODE_KEY)


class QueryFeatureResponse(Wire, frozen=True):
    Complete: bool = False
    Text: str = ""
    URL: str = ""
    ShouldWait: bool = False


class WebClientAuthResponse(Wire, frozen=True):
    """A check before a node's own web pages may change it."""

    ID: str = ""
    URL: str = ""
    Complete: bool = False
