"""Tailscale SSH (protocol fact sheet, 6.9). JSON names begin with a lower-case letter; durations are nanoseconds."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from hatsize.wire import keys
from hatsize.wire.tailcfg.base import AddrPort, Int, Wire, always, lower_first, named


class SSHPrincipal(Wire, frozen=True, rename=lower_first):
    """Who connects; any one of the fields."""

    Node: str = ""
    NodeIP: str = ""
    UserLogin: str = ""
    Any: bool = False


class SSHRecorderFailureAction(Wire, frozen=True):
    """What happens when the session cannot be recorded."""

    RejectSessionWithMessage: str = ""
    TerminateSessionWithMessage: str = ""
    NotifyURL: str = ""


class SSHAction(Wire, frozen=True, rename=lower_first):
    """What happens to a session; with `HoldAndDelegate` the client asks that URL and shows `Message` meanwhile."""

    Message: str = ""
    Reject: bool = False
    Accept: bool = False
    SessionDuration: Int = 0
    AllowAgentForwarding: bool = False
    HoldAndDelegate: str = ""
    AllowLocalPortForwarding: bool = False
    AllowRemotePortForwarding: bool = False
    Recorders: Sequence[AddrPort] = ()
    OnRecordingFailure: SSHRecorderFailureAction | None = None


class SSHRule(Wire, frozen=True, rename=lower_first):
    """The first rule with a matching principal and a mapping of the user wins. `=` maps to the same name."""

    RuleExpires: datetime | None = None
    Principals: Sequence[SSHPrincipal] = always(())
    SSHUsers: Mapping[str, str] = named("sshUsers", {})
    Action: SSHAction | None = always(None)
    AcceptEnv: Sequence[str] = ()


class SSHPolicy(Wire, frozen=True, rename=lower_first):
    """All rules for sessions into a node; none means nothing is allowed."""

    Rules: Sequence[SSHRule] = always(())


class SSHRecordingAttempt(Wire, frozen=True):
    """One recorder that was tried."""

    Recorder: AddrPort = always("")
    FailureMessage: str = always("")


class SSHEventNotifyRequest(Wire, frozen=True):
    """A node tells that a session was not recorded. `EventType`: 1 rejected, 2 terminated, 3 went on."""

    EventType: Int = always(0)
    ConnectionID: str = always("")
    CapVersion: Int = always(0)
    NodeKey: keys.NodeKey = always(keys.ZERO_NODE_KEY)
    SrcNode: Int = always(0)
    SSHUser: str = always("")
    LocalUser: str = always("")
    RecordingAttempts: Sequence[SSHRecordingAttempt] = ()
