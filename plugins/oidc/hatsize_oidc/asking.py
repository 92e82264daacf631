"""Asking a provider over HTTP: no question without a deadline, no answer without an end, no redirect followed."""

import json
import os
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2

from hatsize.hooks.errors import PluginError
from hatsize_oidc.failures import ProviderFailure, shown

DEADLINE = 10.0
"""Seconds for one question and its answer."""
LONGEST_ANSWER = 1 << 20


class Line:
    """How one provider is reached; `transport` stands in for the network in tests."""

    def __init__(
        self, name: str, ca_file: Path | None = None, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._name = name
        self._way: dict[str, Any] = {"transport": transport} if transport else {"verify": _trust(name, ca_file)}

    def options(self) -> dict[str, Any]:
        """What clients are made with."""
        hooks = {"response": [_bounded]}
        return {**self._way, "timeout": DEADLINE, "follow_redirects": False, "event_hooks": hooks}

    async def get_json(self, url: str, bearer: str = "") -> Mapping[str, Any]:
        """The object at a URL; ProviderFailure says why there is none."""
        headers = {"Accept": "application/json", **({"Authorization": f"Bearer {bearer}"} if bearer else {})}
        with self.asking(url):
            async with httpx2.AsyncClient(**self.options()) as client:
                answer = await client.get(url, headers=headers)
                if answer.status_code != httpx2.codes.OK:
                    raise self._wrong_status(answer.status_code, url)
                found = answer.json()
        if not isinstance(found, dict):
            raise ProviderFailure(f"{self._name} does not answer with a JSON object at {_place(url)}")
        return found

    @contextmanager
    def asking(self, url: str) -> Iterator[None]:
        """Hold what is done inside to the deadline, and put what goes wrong with it into words."""
        try:
            with anyio.fail_after(DEADLINE):
                yield
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise ProviderFailure(f"{self._name} does not answer at {_place(url)}: try again later") from error
        except httpx2.HTTPStatusError as error:
            raise self._wrong_status(error.response.status_code, url) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            reason = shown(_system(error) or error) or type(error).__name__
            raise ProviderFailure(f"{self._name} cannot be reached at {_place(url)}: {reason}") from error
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ProviderFailure(f"{self._name} does not answer with JSON at {_place(url)}") from error

    def _wrong_status(self, status: int, url: str) -> ProviderFailure:
        return ProviderFailure(f"{self._name} answers with status {status} at {_place(url)}")


def _trust(name: str, ca_file: Path | None) -> ssl.SSLContext:
    """Whose certificates are believed; PluginError for a file that holds none."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        reason = (
            error.strerror if isinstance(error, FileNotFoundError | PermissionError) else "holds no certificate in PEM"
        )
        raise PluginError(f"{name}: ca_file {ca_file}: {reason}") from error


async def _bounded(answer: httpx2.Response) -> None:
    """Let an answer end when it is longer than any provider's."""
    answer.stream = _Bounded(answer.stream)


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = 0
        async for chunk in self._stream:
            length += len(chunk)
            if length > LONGEST_ANSWER:
                raise httpx2.ReadError(f"the answer is longer than {LONGEST_ANSWER} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _system(error: BaseException) -> str:
    """What the system says of the way there, beneath what libraries wrap around it; empty where it is silent."""
    cause = error.__cause__ or error.__context__
    deeper = _system(cause) if cause else ""
    if deeper or not isinstance(error, OSError) or isinstance(error, ssl.SSLError) or not error.errno:
        return deeper
    return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)


def _place(url: str) -> str:
    """A URL without what may be secret in it."""
    return shown(url.partition("?")[0])
