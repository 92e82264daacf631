"""What a map response tells besides the netmap itself (protocol fact sheet, 5.3 and 5.8)."""

from collections.abc import Sequence

from hatsize.wire.tailcfg.base import Addr, Int, Wire, always


class TKAInfo(Wire, frozen=True):
    """Where tailnet lock stands: the newest AUM's hash, or that it was turned off."""

    Head: str = ""
    Disabled: bool = False


class Debug(Wire, frozen=True):
    """Orders for one moment; only `DisableLogTail` lasts."""

    SleepSeconds: float = 0.0
    DisableLogTail: bool = False
    Exit: Int | None = None


class ControlIPCandidate(Wire, frozen=True):
    """One way to dial the control server; higher priority first."""

    IP: Addr = ""
    ACEHost: str = ""
    DialStartDelaySec: float = 0.0
    DialTimeoutSec: float = 0.0
    Priority: Int = 0


class ControlDialPlan(Wire, frozen=True):
    """How the control server shall be dialled next time."""

    Candidates: Sequence[ControlIPCandidate] = always(())


class ClientVersion(Wire, frozen=True):
    """Whether the client is up to date."""

    RunningLatest: bool = False
    LatestVersion: str = ""
    UrgentSecurityUpdate: bool = False
    Notify: bool = False
    NotifyURL: str = ""
    NotifyText: str = ""


class DisplayMessageAction(Wire, frozen=True):
    """A button under a message."""

    URL: str = always("")
    Label: str = always("")


class DisplayMessage(Wire, frozen=True):
    """A message for the client's user; `Severity` is `high`, `medium` or `low`."""

    Title: str = always("")
    Text: str = always("")
    Severity: str = always("")
    ImpactsConnectivity: bool = False
    PrimaryAction: DisplayMessageAction | None = None
