"""API v1: messages to the people at the machines. Headscale has none of this."""

from msgspec import field

from hatsize.api.operation import Area, Call
from hatsize.api.reading import read_id
from hatsize.api.schema import Answer, Body, Id, Nothing
from hatsize.tailnet.commands.messages import delete_message, put_message
from hatsize.tailnet.messages import Message, messages

area = Area("Messages")


class MessageJson(Answer):
    id: str
    title: str
    text: str
    severity: str
    """`high`, `medium` or `low`."""
    url: str
    label: str
    nodes: list[Id]
    """Whose clients show it; empty for all."""


class MessageAnswer(Answer):
    message: MessageJson


class MessagesAnswer(Answer):
    messages: list[MessageJson]


class PutMessage(Body):
    title: str
    text: str
    severity: str = "medium"
    url: str = ""
    """Where a button under the message leads; `label` is what stands on it."""
    label: str = ""
    nodes: list[str] = field(default_factory=list)


@area.add("GET", "/message", "listMessages", "List the messages that clients show")
async def list_messages(call: Call) -> MessagesAnswer:
    return MessagesAnswer(messages=[_json(key, found) for key, found in sorted(messages(call.live.state).items())])


@area.add("PUT", "/message/{messageId}", "putMessage", "Let clients show a message, all or those of some nodes")
async def put(call: Call, message_id: str, body: PutMessage) -> MessageAnswer:
    nodes = tuple(read_id(node_id, "a node") for node_id in body.nodes)
    message = Message(
        title=body.title, text=body.text, severity=body.severity, url=body.url, label=body.label, nodes=nodes
    )
    await call.run(lambda state: put_message(state, message_id, message, call.now))
    return MessageAnswer(message=_json(message_id, message))


@area.add("DELETE", "/message/{messageId}", "deleteMessage", "Let clients show a message no more")
async def delete(call: Call, message_id: str) -> Nothing:
    await call.run(lambda state: delete_message(state, message_id, call.now))
    return Nothing()


def _json(message_id: str, message: Message) -> MessageJson:
    return MessageJson(
        id=message_id,
        title=message.title,
        text=message.text,
        severity=message.severity,
        url=message.url,
        label=message.label,
        nodes=[str(node_id) for node_id in message.nodes],
    )
