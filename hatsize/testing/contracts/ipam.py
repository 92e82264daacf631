"""The contract of an IP allocator, as tests. Subclass it and say how yours is made:

class TestMine(IPAllocatorContract):
    @pytest.fixture
    def allocator(self):
        return Mine()
"""

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address

import pytest
from msgspec.structs import replace

from hatsize.hooks.ipam import AllocationRequest, IPAllocator, NoAddressError
from hatsize.testing.contracts.storage_samples import a_node

V4 = IPv4Network("100.64.0.0/10")
V6 = IPv6Network("fd7a:115c:a1e0::/48")


class IPAllocatorContract:
    """What every allocator promises."""

    @pytest.fixture
    def allocator(self) -> IPAllocator:
        raise NotImplementedError("the subclass supplies `allocator`")

    @pytest.fixture
    def ask(self, allocator: IPAllocator) -> Callable[..., tuple[str | None, str | None]]:
        """Asks for addresses of a node that has none, unless told otherwise."""

        def ask(
            *,
            v4: object = (V4,),
            v6: object = (V6,),
            taken: object = (),
            has: tuple[str | None, str | None] = (None, None),
        ) -> tuple[str | None, str | None]:
            node = replace(a_node(), ipv4=has[0], ipv6=has[1])
            used = set(taken)  # type: ignore[call-overload]
            return allocator.allocate(AllocationRequest(node, None, v4, v6, used.__contains__))  # type: ignore[arg-type]

        return ask

    def test_gives_an_address_of_each_family_inside_its_prefix(self, ask: Callable[..., tuple[str, str]]) -> None:
        ipv4, ipv6 = ask()
        assert ip_address(ipv4) in V4
        assert ip_address(ipv6) in V6
        assert (str(ip_address(ipv4)), str(ip_address(ipv6))) == (ipv4, ipv6), "in canonical text"

    def test_a_family_without_a_prefix_gets_none(self, ask: Callable[..., tuple[str | None, str | None]]) -> None:
        assert ask(v4=())[0] is None
        assert ask(v6=())[1] is None

    def test_never_gives_what_is_taken(self, ask: Callable[..., tuple[str, str]]) -> None:
        small = IPv4Network("192.0.2.0/29")
        taken: set[str] = set()
        for _ in range(6):
            ipv4, _ = ask(v4=(small,), v6=(), taken=taken)
            assert ipv4 not in taken
            taken.add(ipv4)
        assert taken == {f"192.0.2.{host}" for host in range(1, 7)}

    def test_says_so_when_no_address_is_left(self, ask: Callable[..., tuple[str, str]]) -> None:
        small = IPv4Network("192.0.2.0/30")
        with pytest.raises(NoAddressError, match=r"192\.0\.2\.0/30"):
            ask(v4=(small,), taken={"192.0.2.1", "192.0.2.2"})

    def test_goes_on_to_the_next_prefix(self, ask: Callable[..., tuple[str, str]]) -> None:
        first, second = IPv4Network("192.0.2.0/30"), IPv4Network("198.51.100.0/24")
        ipv4, _ = ask(v4=(first, second), taken={"192.0.2.1", "192.0.2.2"})
        assert ip_address(ipv4) in second

    def test_a_node_keeps_what_it_has(self, ask: Callable[..., tuple[str, str]]) -> None:
        has = ("100.99.1.2", "fd7a:115c:a1e0::99")
        assert ask(has=has, taken=set(has)) == has

    def test_a_node_outside_the_prefixes_gets_another_one(self, ask: Callable[..., tuple[str, str]]) -> None:
        ipv4, _ = ask(has=("192.0.2.1", None))
        assert ip_address(ipv4) in V4

    def test_leaves_out_what_clients_use_themselves(self, ask: Callable[..., tuple[str, str]]) -> None:
        around = IPv4Network("100.100.100.0/23", strict=False)
        taken: set[str] = set()

        def use_up() -> None:
            while True:
                taken.add(ask(v4=(around,), v6=(), taken=taken)[0])

        with pytest.raises(NoAddressError):
            use_up()
        assert "100.100.100.100" not in taken
        assert len(taken) > 100
