"""What a client tells about its machine (protocol fact sheet, 6.2)."""

from hatsize.wire.tailcfg import machine
from hatsize.wire.tailcfg.base import Prefix, Wire, named


class Hostinfo(Wire, frozen=True):
    """A client's description of its machine, operating system, advertised routes and services."""

    IPNVersion: str = ""
    FrontendLogID: str = ""
    BackendLogID: str = ""
    OS: str = ""
    OSVersion: str = ""
    Container: bool | None = None
    Env: str = ""
    Distro: str = ""
    DistroVersion: str = ""
    DistroCodeName: str = ""
    App: str = ""
    Desktop: bool | None = None
    Package: str = ""
    DeviceModel: str = ""
    PushDeviceToken: str = ""
    Hostname: str = ""
    ShieldsUp: bool = False
    ShareeNode: bool = False
    NoLogsNoSupport: bool = False
    RemoteConfig: bool = False
    WireIngress: bool = False
    IngressEnabled: bool = False
    AllowsUpdate: bool = False
    Machine: str = ""
    GoArch: str = ""
    GoArchVar: str = ""
    GoVersion: str = ""
    RoutableIPs: tuple[Prefix, ...] = ()
    RequestTags: tuple[str, ...] = ()
    WoLMACs: tuple[str, ...] = ()
    Services: tuple[machine.Service, ...] = ()
    NetInfo: machine.NetInfo | None = None
    SSHHostKeys: tuple[str, ...] = named("sshHostKeys", ())
    Cloud: str = ""
    Userspace: bool | None = None
    UserspaceRouter: bool | None = None
    AppConnector: bool | None = None
    ServicesHash: str = ""
    PeerRelay: bool = False
    ExitNodeID: str = ""
    Location: machine.Location | None = None
    TPM: machine.TPMInfo | None = None
    StateEncrypted: bool | None = None
