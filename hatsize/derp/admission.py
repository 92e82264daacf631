"""Who may use the relay: everybody, the nodes of a control server in this process, or those another server names.

    relay    -> server   POST {"NodePublic": "nodekey:…", "Source": "192.0.2.1"}
    server   -> relay    200 {"Allow": true}

Source: protocol fact sheet, section 7.3.
"""

import logging
from collections.abc import Awaitable, Callable

import anyio
import msgspec

from hatsize.wire.keys import NodeKey

_log = logging.getLogger(__name__)
TIMEOUT = 5.0

Post = Callable[[str, bytes], Awaitable[tuple[int, bytes]]]
"""An HTTP POST of JSON to a URL: the status and the body of the answer; raises OSError when there is none."""


class AdmitRequest(msgspec.Struct, frozen=True):
    """The question."""

    NodePublic: str
    Source: str


class AdmitResponse(msgspec.Struct, frozen=True):
    """The answer."""

    Allow: bool = False


async def everybody(key: NodeKey, address: str) -> bool:  # noqa: ARG001
    """Admit any key."""
    return True


def known_nodes(is_known: Callable[[NodeKey, str], bool]) -> Callable[[NodeKey, str], Awaitable[bool]]:
    """Admit the nodes a control server in this process knows, registered a moment ago or not."""

    async def admit(key: NodeKey, address: str) -> bool:
        return is_known(key, address)

    return admit


class VerifyURL:
    """Asks another server, Hatsize, Headscale or one of one's own, about each connection.

    `fail_open` says what becomes of a connection when that server does not answer: let in, or turned away.
    """

    def __init__(self, url: str, post: Post, *, fail_open: bool = False) -> None:
        self._url = url
        self._post = post
        self._fail_open = fail_open

    async def __call__(self, key: NodeKey, address: str) -> bool:
        """Whether to let a client in."""
        allowed = await self.ask(key, address)
        return self._fail_open if allowed is None else allowed

    async def ask(self, key: NodeKey, address: str) -> bool | None:
        """What the server says; None when it does not answer."""
        question = msgspec.json.encode(AdmitRequest(key, address))
        try:
            with anyio.fail_after(TIMEOUT):
                status, body = await self._post(self._url, question)
            if status != 200:
                self._without_answer(f"it answers with status {status}")
                return None
            return msgspec.json.decode(body, type=AdmitResponse).Allow
        except TimeoutError:
            self._without_answer(f"no answer within {TIMEOUT:.0f} s")
        except (OSError, msgspec.MsgspecError) as error:
            self._without_answer(str(error))
        return None

    def _without_answer(self, why: str) -> None:
        _log.warning("%s does not say whom to admit: %s", self._url, why)
