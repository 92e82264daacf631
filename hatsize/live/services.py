"""The services a live tailnet works with, as chosen by the settings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network

from hatsize.hooks.auth import RegistrationDecider
from hatsize.hooks.dns import DNSProvider
from hatsize.hooks.ipam import IPAllocator
from hatsize.hooks.manager import Plugins
from hatsize.hooks.policy import PolicyEngine
from hatsize.hooks.replicas import Replication
from hatsize.hooks.storage import Storage
from hatsize.live.alone import Alone
from hatsize.netmap.notices import Notices
from hatsize.tailnet.commands.waiting import WaitingRoom


@dataclass(frozen=True, slots=True)
class Services:
    """Who stores, allocates, decides, names and judges."""

    plugins: Plugins
    storage: Storage
    allocator: IPAllocator
    policy: PolicyEngine
    deciders: Sequence[RegistrationDecider]
    dns: Sequence[DNSProvider]
    replication: Replication = field(default_factory=Alone)


@dataclass(frozen=True, slots=True)
class Terms:
    """The settings a live tailnet reads while it runs."""

    base_domain: str
    domain: str
    v4: Sequence[IPv4Network]
    v6: Sequence[IPv6Network]
    key_expiry: timedelta | None = None
    """How long a user's node stays logged in; None for ever."""
    approval: bool = False
    """Whether a machine that its user logged in waits for an administrator's approval."""
    ephemeral_timeout: timedelta = timedelta(minutes=2)
    """How long after its stream ended an ephemeral node is kept."""
    offline_after: timedelta = timedelta(seconds=10)
    """How long a node may be without a stream before its peers are told that it is offline."""
    write_behind: timedelta = timedelta(milliseconds=500)
    """How long what nodes report of themselves may wait to be stored."""
    waiting_room: WaitingRoom = field(default_factory=WaitingRoom)
    """How long registrations and SSH sessions wait for somebody's approval, and how many."""
    revoked_retention: timedelta = timedelta(days=7)
    """How long an auth key that is of no more use stays in the list."""
    probe_interval: timedelta = timedelta(seconds=5)
    """How often routers that stand in for each other are probed; 0 for never."""
    probe_timeout: timedelta = timedelta(seconds=3)
    """How long a router may take to answer."""
    taildrop: bool = True
    """Whether nodes may send files to each other."""
    logtail: bool = False
    """Whether clients may send their logs to their maker."""
    auto_update: bool = False
    """Whether clients that were never told otherwise update themselves."""
    notices: Notices = field(default_factory=Notices)
    """What clients are told of updates, and of ways to dial the server."""
    collect_services: bool = False
    nodes_are_admins: bool = field(default=False)
