"""Events: what has happened to a tailnet, told after it is durable."""

from hatsize.hooks import hookspec
from hatsize.tailnet.model import Change
from hatsize.tailnet.state import State

VOCABULARY: dict[str, str] = {
    "tailnet.created": "a tailnet was made",
    "tailnet.updated": "a tailnet's settings changed",
    "user.created": "a user was made",
    "user.updated": "a user's name, picture, role, status or groups changed",
    "user.suspended": "a user was shut out, and their nodes' keys expired",
    "user.restored": "a suspended user may log in again",
    "user.deleted": "a user was removed",
    "node.registered": "a node joined",
    "node.reauthenticated": "a known node logged in again, or rotated its key",
    "node.logged_out": "a node logged itself out",
    "node.updated": "a node's name, tags, routes, addresses, owner or attributes were changed",
    "node.authorized": "a node that waited for approval was approved",
    "node.held": "a node's approval was taken back",
    "node.expired": "a node's key was expired",
    "node.deleted": "a node was removed",
    "node.reported": "nodes told about themselves: endpoints, host information, last seen; written behind, in batches",
    "credential.created": "an auth key, API key, OAuth client or token was made",
    "credential.updated": "a credential was used, set, expired or revoked",
    "credential.deleted": "a credential was removed",
    "policy.saved": "a policy was put in force",
    "dns.updated": "the DNS settings or records changed",
    "login.started": "a client asked for a login on the web page",
    "login.decided": "a login was approved or rejected",
    "service.updated": "a virtual service was made, changed or removed",
    "share.updated": "a share was offered, accepted or withdrawn",
    "plugin.item_set": "a plugin has stored something for itself; what it means is that plugin's affair",
    "plugin.item_deleted": "what a plugin had stored was removed, by it or because its time was over",
    "import.finished": "another server's state was taken over",
}
"""Every kind a change can have. Whoever listens can rely on these names."""


@hookspec
async def hatsize_changed(state: State, change: Change) -> None:
    """Hear of a change that is durable and true. *All*: each listener hears every change, in order.

    `change.kind` is one of `VOCABULARY`; `state` is as it is when the listener is called, which may be later than the
    change. Each plugin has a queue of its own: one that is slow delays neither the server nor the others, and when its
    queue is full, what comes next is lost to it, logged and counted. Durable changes are numbered without holes
    (`change.seq`), so a listener can tell; `node.reported` is number 0.

    Example:

        @hookimpl
        async def hatsize_changed(self, change):
            print(f"{change.at:%H:%M} {change.actor}: {VOCABULARY[change.kind]}")
    """


@hookspec
async def hatsize_node_online(state: State, node_id: int, online: bool) -> None:
    """Hear that a node's map stream opened, or stayed away for long enough to count as offline. *All*, as above.

    Example:

        @hookimpl
        async def hatsize_node_online(self, state, node_id, online):
            node = state.find(Node, node_id)
            print(node.given_name if node else node_id, "is here" if online else "has left")
    """
