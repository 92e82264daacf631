"""Tailnet lock's requests and answers: `GET /machine/tka/…` with a JSON body (protocol fact sheet, 3.2).

AUMs and signatures are serialised CBOR and travel as bytes; hashes are text (base32).
"""

from collections.abc import Mapping, Sequence

from hatsize.wire import keys
from hatsize.wire.tailcfg.base import Int, Wire, always


class TKARequest(Wire, frozen=True):
    """What every request has."""

    Version: Int = always(0)
    NodeKey: keys.NodeKey = always(keys.ZERO_NODE_KEY)


class TKAInitBeginRequest(TKARequest, frozen=True):
    GenesisAUM: bytes = b""


class TKASignInfo(Wire, frozen=True):
    """A node that needs a signature before the lock can close."""

    NodeID: Int = always(0)
    NodePublic: keys.NodeKey = always(keys.ZERO_NODE_KEY)
    RotationPubkey: bytes | None = always(None)


class TKAInitBeginResponse(Wire, frozen=True):
    NeedSignatures: Sequence[TKASignInfo] = always(())


class TKAInitFinishRequest(TKARequest, frozen=True):
    Signatures: Mapping[int, bytes] = {}
    SupportDisablement: bytes = b""


class TKABootstrapRequest(TKARequest, frozen=True):
    Head: str = ""


class TKABootstrapResponse(Wire, frozen=True):
    GenesisAUM: bytes = b""
    DisablementSecret: bytes = b""


class TKASyncOfferRequest(TKARequest, frozen=True):
    Head: str = ""
    Ancestors: Sequence[str] = ()


class TKASyncOfferResponse(Wire, frozen=True):
    Head: str = always("")
    Ancestors: Sequence[str] = always(())
    MissingAUMs: Sequence[bytes] = always(())


class TKASyncSendRequest(TKARequest, frozen=True):
    Head: str = ""
    MissingAUMs: Sequence[bytes] = ()
    Interactive: bool = False


class TKASyncSendResponse(Wire, frozen=True):
    Head: str = always("")


class TKADisableRequest(TKARequest, frozen=True):
    Head: str = ""
    DisablementSecret: bytes = b""


class TKASubmitSignatureRequest(TKARequest, frozen=True):
    Signature: bytes = b""


class TKASignaturesUsingKeyRequest(TKARequest, frozen=True):
    KeyID: bytes = b""


class TKASignaturesUsingKeyResponse(Wire, frozen=True):
    Signatures: Sequence[bytes] = always(())


class TKAEmptyResponse(Wire, frozen=True):
    """`{}`: done."""
