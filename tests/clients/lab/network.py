"""A small internet of network namespaces. Nothing in it reaches another network, nor the other way round.

hub 10.99.0.1 --- bridge --+-- a 10.99.0.11
                           +-- b-router 10.99.0.12 | 10.98.12.1 --- b 10.98.12.2
                           +-- c 10.99.0.13 | 192.168.13.1 --- c-lan 192.168.13.2
"""

from pathlib import Path

from tests.clients.lab import leases, namespaces, nat
from tests.clients.lab.namespaces import Namespace

HUB_ADDRESS = "10.99.0.1"
HUB_IPV6 = "fd99::1"
HUB_HARDWARE = "02:00:00:00:00:01"  # its own: else it is a port's, and changes under the clients as ports are added
NOWHERE = "10.99.0.254"  # a way out as every host has one, but to nobody
FIRST_MACHINE = 11


class Network:
    """The hub and the machines plugged into it. `close` removes them all; if it never comes, the next lab does."""

    def __init__(self) -> None:
        self._lease = leases.take()
        self.directory: Path = self._lease.directory
        self.machines: list[Namespace] = []
        self.hub = self._namespace("hub")
        self.hub.address = HUB_ADDRESS
        self.hub.ip("link", "add", "bridge", "address", HUB_HARDWARE, "type", "bridge")
        self.hub.ip("addr", "add", f"{HUB_ADDRESS}/24", "dev", "bridge")
        self.hub.ip("link", "set", "bridge", "up")
        self.hub.ip("route", "add", "default", "via", NOWHERE)
        self._next = FIRST_MACHINE
        self._has_ipv6 = False

    def machine(self, name: str) -> Namespace:
        """A machine on the bridge, with an address everyone reaches."""
        machine = self._namespace(name)
        self._plug(machine, "eth0")
        return machine

    def machine_behind_nat(self, name: str) -> Namespace:
        """A machine behind a router of its own that lets nothing in unasked."""
        router = self._namespace(f"{name}-router")
        number = self._plug(router, "wan")
        machine = self._namespace(name)
        machine.address = f"10.98.{number}.2"
        _cable(router, "lan", f"10.98.{number}.1", machine, machine.address)
        nat.make_router(router)
        return machine

    def lan(self, gateway: Namespace) -> Namespace:
        """A host on a LAN of its own behind a machine, for instance to be reached as an advertised route."""
        number = self._take_number()
        host = self._namespace(f"{gateway.name}-lan")
        host.address = f"192.168.{number}.2"
        _cable(gateway, "lan0", f"192.168.{number}.1", host, host.address)
        gateway.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        return host

    def internet(self, *addresses: str) -> None:
        """Let the hub have addresses of the wide world, by which everybody on the bridge reaches it."""
        for address in addresses:
            family, bits = ("-6", 128) if ":" in address else ("-4", 32)
            self.hub.ip(family, "addr", "add", f"{address}/{bits}", "dev", "lo")

    def give_ipv6(self, machine: Namespace) -> str:
        """Let a machine on the bridge have IPv6 too; its address."""
        if not self._has_ipv6:
            self._has_ipv6 = True
            self.hub.ip("-6", "addr", "add", f"{HUB_IPV6}/64", "dev", "bridge", "nodad")
        address = HUB_IPV6.removesuffix("1") + machine.address.rpartition(".")[2]
        machine.ip("-6", "addr", "add", f"{address}/64", "dev", "eth0", "nodad")
        machine.ip("-6", "route", "add", "default", "via", HUB_IPV6)
        return address

    def close(self) -> None:
        for machine in self.machines:
            for end in machine.at_close:
                end()
        namespaces.remove([machine.full_name for machine in self.machines])
        self._lease.give_back()

    def _namespace(self, name: str) -> Namespace:
        machine = Namespace(self._lease.prefix, name, self.directory)
        self.machines.append(machine)
        return machine

    def _plug(self, machine: Namespace, interface: str) -> int:
        number = self._take_number()
        port = f"port{number}"
        self.hub.ip("link", "add", port, "type", "veth", "peer", "name", interface, "netns", machine.full_name)
        self.hub.ip("link", "set", port, "master", "bridge", "up")
        machine.address = f"10.99.0.{number}"
        _configure(machine, interface, machine.address)
        machine.ip("route", "add", "default", "via", HUB_ADDRESS)
        return number

    def _take_number(self) -> int:
        self._next += 1
        return self._next - 1


def _cable(near: Namespace, interface: str, near_address: str, far: Namespace, far_address: str) -> None:
    near.ip("link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", far.full_name)
    _configure(near, interface, near_address)
    _configure(far, "eth0", far_address)
    far.ip("route", "add", "default", "via", near_address)


def _configure(machine: Namespace, interface: str, address: str) -> None:
    machine.ip("addr", "add", f"{address}/24", "dev", interface)
    machine.ip("link", "set", interface, "up")
