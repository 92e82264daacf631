"""Messages to the people at the machines: showing one, taking it back."""

import re
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from hatsize.tailnet.errors import InvalidError, NotFoundError
from hatsize.tailnet.messages import KEY, Message
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State
from hatsize.tailnet.urls import is_web_page

ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SEVERITIES = ("high", "medium", "low")
LONGEST = 2000
"""Characters of a text."""
MOST = 100
"""Messages at a time."""


def put_message(state: State, message_id: str, message: Message, now: datetime) -> Change:
    """A message is shown from now on, instead of the one of its id if there is one."""
    if not ID.fullmatch(message_id):
        raise InvalidError(f"{message_id!r} is not a message's id: use small letters, digits and hyphens")
    _check(state, message)
    stored = {**_stored(state), message_id: msgspec.to_builtins(message)}
    if len(stored) > MOST:
        raise InvalidError(f"there are {MOST} messages already: delete one")
    return _updated(state, stored, now)


def delete_message(state: State, message_id: str, now: datetime) -> Change:
    """A message is shown no more."""
    stored = dict(_stored(state))
    if stored.pop(message_id, None) is None:
        raise NotFoundError(f"message {message_id!r} does not exist: see `hatsize messages list`")
    return _updated(state, stored, now)


def _check(state: State, message: Message) -> None:
    if not message.title.strip() or not message.text.strip():
        raise InvalidError("a message needs a title and a text")
    if len(message.title) + len(message.text) > LONGEST:
        raise InvalidError(f"the message is longer than {LONGEST} characters: shorten it")
    if message.severity not in SEVERITIES:
        raise InvalidError(f"{message.severity!r} is not a severity: give {', '.join(SEVERITIES)}")
    if bool(message.url) != bool(message.label):
        raise InvalidError("a button needs both a URL and a label")
    if message.url and not is_web_page(message.url):
        raise InvalidError(f"{message.url!r} is not a web page's URL: give one that begins with https://")
    for node_id in message.nodes:
        state.get(Node, node_id)


def _stored(state: State) -> dict[str, Any]:
    found: dict[str, Any] = state.tailnet.settings.get(KEY, {})
    return found


def _updated(state: State, stored: dict[str, Any], now: datetime) -> Change:
    tailnet = replace(state.tailnet, settings={**state.tailnet.settings, KEY: stored})
    return Change(tailnet=state.tailnet_id, kind="tailnet.updated", puts=(tailnet,), at=now)
