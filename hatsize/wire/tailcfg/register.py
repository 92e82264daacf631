"""Registering: `POST /machine/register` (protocol fact sheet, section 4)."""

from datetime import datetime

from hatsize.wire import keys
from hatsize.wire.tailcfg import hostinfo, users
from hatsize.wire.tailcfg.base import Int, Wire, always


class Oauth2Token(Wire, frozen=True):
    """A token of an identity provider; no client sends one today."""

    access_token: str = always("")
    token_type: str = ""
    refresh_token: str = ""
    expiry: datetime | None = None

    def __repr__(self) -> str:
        return "Oauth2Token(…)"


_Token = Oauth2Token


class RegisterResponseAuth(Wire, frozen=True):
    """What a client presents instead of a login: its auth key."""

    Oauth2Token: _Token | None = None
    AuthKey: str = ""

    def __repr__(self) -> str:
        return "RegisterResponseAuth(…)"


class RegisterRequest(Wire, frozen=True):
    """A client asks to be a node, to stay one, or (with a past `Expiry`) to be one no more."""

    Version: Int = always(0)
    NodeKey: keys.NodeKey = always(keys.ZERO_NODE_KEY)
    OldNodeKey: keys.NodeKey = always(keys.ZERO_NODE_KEY)
    NLKey: str = always("nlpub:" + "0" * 64)
    Auth: RegisterResponseAuth | None = None
    Expiry: datetime | None = None
    Followup: str = always("")
    Hostinfo: hostinfo.Hostinfo | None = always(None)
    Ephemeral: bool = False
    NodeKeySignature: bytes | None = always(None)
    SignatureType: str = ""
    Timestamp: datetime | None = None
    DeviceCert: bytes = b""
    Signature: bytes = b""
    Tailnet: str = ""


class RegisterResponse(Wire, frozen=True):
    """The answer. An `Error` is shown to the user as it is; an `AuthURL` is opened and waited for."""

    User: users.User = always(users.User())
    Login: users.Login = always(users.Login())
    NodeKeyExpired: bool = always(False)
    MachineAuthorized: bool = always(False)
    AuthURL: str = always("")
    NodeKeySignature: bytes | None = always(None)
    Error: str = always("")
