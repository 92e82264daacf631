"""What a router does to the packets of its LAN, as nftables rules."""

from tests.clients.lab.namespaces import Namespace

HARD_NAT = """
table ip lab {
  chain outward { type nat hook postrouting priority 100; oifname "wan" masquerade fully-random; }
  chain through {
    type filter hook forward priority 0; policy drop;
    iifname "lan" accept
    ct state established,related accept
  }
}
"""
NO_UDP = """
table inet lab_udp {
  chain inward { type filter hook input priority 0; iifname "eth0" meta l4proto udp drop; }
  chain outward { type filter hook output priority 0; oifname "eth0" meta l4proto udp drop; }
}
"""


def make_router(router: Namespace) -> None:
    """Forward from `lan` to `wan` behind another address and an unforeseeable port for each destination."""
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    router.run("nft", HARD_NAT)


def block_udp(machine: Namespace) -> None:
    """Let no UDP in or out by the machine's own network: neither STUN nor a direct path."""
    machine.run("nft", NO_UDP)


def allow_udp(machine: Namespace) -> None:
    """Take `block_udp` back."""
    machine.run("nft", "delete table inet lab_udp")
