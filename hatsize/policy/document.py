"""A policy document as typed records: what was written, read and checked, not yet tied to a tailnet.

`line` is where a thing stands in the text, for messages and explanations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hatsize.policy.addresses import IPSet
from hatsize.policy.errors import Remark
from hatsize.policy.ports import Ports
from hatsize.policy.postures import Posture
from hatsize.policy.selectors import Selector
from hatsize.wire.tailcfg import DERPMap


@dataclass(frozen=True)
class Flow:
    """One destination of a rule with the ports and protocols it opens there; no protocols means the default ones."""

    dst: Selector
    ports: tuple[Ports, ...]
    protocols: tuple[int, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One entry of `acls` or `grants`. An acl is the grant of each of its destinations' ports."""

    path: str
    line: int
    src: tuple[Selector, ...]
    dst: tuple[Selector, ...] = ()
    flows: tuple[Flow, ...] = ()
    app: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    via: tuple[str, ...] = ()
    postures: tuple[str, ...] = ()
    """Names of postures, of which the source must meet one; none means no condition."""


@dataclass(frozen=True)
class SSHRule:
    """One entry of `ssh`. `users` are as written; a `check_period` of None means every time."""

    path: str
    line: int
    check: bool
    src: tuple[Selector, ...]
    dst: tuple[Selector, ...]
    users: tuple[str, ...]
    check_period: timedelta | None = None
    accept_env: tuple[str, ...] = ()
    recorders: tuple[str, ...] = ()
    enforce_recorder: bool = False
    postures: tuple[str, ...] = ()


@dataclass(frozen=True)
class NodeAttr:
    """One entry of `nodeAttrs`."""

    line: int
    target: tuple[Selector, ...]
    attrs: tuple[str, ...] = ()
    app: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    ip_pool: tuple[str, ...] = ()


@dataclass(frozen=True)
class AutoApprovers:
    """Who need not be approved by a person: routes by their prefix, exit nodes, hosts of services by name or tag."""

    routes: Mapping[str, tuple[Selector, ...]] = field(default_factory=dict)
    exit_node: tuple[Selector, ...] = ()
    services: Mapping[str, tuple[Selector, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class AccessTest:
    """One entry of `tests`."""

    line: int
    src: str
    accept: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    protocol: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SSHTest:
    """One entry of `sshTests`; `accept`, `check` and `deny` are names of users."""

    line: int
    src: str
    dst: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    """A whole policy. With neither `acls` nor `grants` in it, `open_to_all` is set: everything may reach everything."""

    open_to_all: bool = True
    rules: tuple[Rule, ...] = ()
    ssh: tuple[SSHRule, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    ipsets: Mapping[str, IPSet] = field(default_factory=dict)
    tag_owners: Mapping[str, tuple[Selector, ...]] = field(default_factory=dict)
    auto_approvers: AutoApprovers = field(default_factory=AutoApprovers)
    node_attrs: tuple[NodeAttr, ...] = ()
    postures: Mapping[str, Posture] = field(default_factory=dict)
    attr_config: Mapping[str, Any] = field(default_factory=dict)
    tests: tuple[AccessTest, ...] = ()
    ssh_tests: tuple[SSHTest, ...] = ()
    derp_map: DERPMap | None = None
    disable_ipv4: bool = False
    one_cgnat_route: str = ""
    randomize_client_port: bool = False
    warnings: tuple[Remark, ...] = ()
