"""How users are shown to clients (protocol fact sheet, 4.2 and 6.3)."""

from datetime import datetime

from hatsize.wire.tailcfg.base import Int, Wire, always


class User(Wire, frozen=True):
    """The owner of a node, in a register answer."""

    ID: Int = always(0)
    DisplayName: str = always("")
    ProfilePicURL: str = ""
    Created: datetime | None = None


class Login(Wire, frozen=True):
    """What the user logged in with, in a register answer."""

    ID: Int = always(0)
    Provider: str = always("")
    LoginName: str = always("")
    DisplayName: str = always("")
    ProfilePicURL: str = ""


class UserProfile(Wire, frozen=True):
    """A user that nodes of the netmap name."""

    ID: Int = always(0)
    LoginName: str = always("")
    DisplayName: str = always("")
    ProfilePicURL: str = ""
    Groups: tuple[str, ...] = ()
