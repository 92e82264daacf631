"""Routes to networks behind clients: approved by the policy or by hand, overlapping, and of sites with one address."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.clients.lab.binaries import NEWEST, OLDEST
from tests.clients.lab.client import Client
from tests.clients.lab.laboratory import Lab
from tests.clients.lab.mirror import Mirror

AT_ONCE = 10.0
WIDE, NARROW, OWN_ROUTE = "10.60.0.0/16", "10.60.7.0/24", "10.61.0.0/24"
IN_BOTH, IN_WIDE = "10.60.7.7", "10.60.8.8"
POLICY = {
    "tagOwners": {"tag:office": [], "tag:lab": []},
    "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}],
    "autoApprovers": {"routes": {WIDE: ["tag:office"]}},
}
SITES = {OLDEST: (11, 12), NEWEST: (21, 22)}
Clients = dict[str, Client]
both_versions = pytest.mark.parametrize("version", [OLDEST, NEWEST])


@pytest.fixture(scope="module")
def travellers(lab: Lab) -> Clients:
    """A client of each version that accepts routes, by version."""
    lab.server.set_policy(POLICY)
    travellers = {version: lab.client(f"traveller-{site}", version) for version, (site, _) in SITES.items()}
    for traveller in travellers.values():
        traveller.up(lab.server.url, lab.server.auth_key(), "--accept-routes")
    return travellers


@pytest.fixture(scope="module")
def routers(lab: Lab, travellers: Clients) -> Clients:
    """`wide` is an office's and serves the wide network, `narrow` is a lab's and serves a part of it."""
    routers = {"wide": lab.client("wide", OLDEST), "narrow": lab.client("narrow", NEWEST)}
    for router, tag, route in (("wide", "tag:office", WIDE), ("narrow", "tag:lab", NARROW)):
        for address in (IN_BOTH, IN_WIDE):
            routers[router].machine.ip("addr", "add", f"{address}/32", "dev", "lo")
        routers[router].machine.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        routers[router].up(lab.server.url, lab.server.auth_key("lab", "--tags", tag), f"--advertise-routes={route}")
    return routers


def routes_by(viewer: Client, router: str) -> set[str]:
    """The networks to which a client goes by a router."""
    return set(viewer.peer(router).get("PrimaryRoutes") or ())


def at_once(client: Client, attempt: Callable[[], object], what: str) -> None:
    client.eventually(attempt, what, within=AT_ONCE)


@both_versions
def test_a_route_that_the_policy_trusts_its_router_with_is_approved_at_once(
    lab: Lab, routers: Clients, travellers: Clients, version: str
) -> None:
    traveller = travellers[version]
    at_once(traveller, lambda: routes_by(traveller, "wide") == {WIDE}, "the route is there")
    assert lab.server.node("wide")["approvedRoutes"] == [WIDE]
    traveller.reach(IN_WIDE)


def test_a_part_of_a_trusted_route_is_approved_when_it_is_advertised_later(
    lab: Lab, routers: Clients, travellers: Clients
) -> None:
    part = "10.60.99.0/24"
    routers["wide"].tailscale("set", f"--advertise-routes={WIDE},{part}")
    traveller = travellers[NEWEST]
    at_once(traveller, lambda: routes_by(traveller, "wide") == {WIDE, part}, "the part is there")
    routers["wide"].tailscale("set", f"--advertise-routes={WIDE}")
    at_once(traveller, lambda: routes_by(traveller, "wide") == {WIDE}, "the part is gone")


@both_versions
def test_a_route_that_nobody_trusts_its_router_with_waits_for_approval(
    lab: Lab, routers: Clients, travellers: Clients, version: str
) -> None:
    traveller = travellers[version]
    traveller.wait_peer("narrow")
    assert lab.server.node("narrow")["availableRoutes"] == [NARROW]
    assert not lab.server.node("narrow")["approvedRoutes"]
    assert not routes_by(traveller, "narrow")


@both_versions
def test_of_overlapping_routes_the_narrower_one_leads(
    lab: Lab, routers: Clients, travellers: Clients, version: str
) -> None:
    traveller = travellers[version]
    by_wide, by_narrow = (Mirror(routers[name].machine, IN_BOTH) for name in ("wide", "narrow"))
    lab.server.approve_routes("narrow", NARROW)
    at_once(traveller, lambda: routes_by(traveller, "narrow") == {NARROW}, "the narrow route is there")
    assert routes_by(traveller, "wide") == {WIDE}
    by_wide.close()
    at_once(traveller, lambda: by_narrow.seen_from(traveller.machine), "the narrow one leads")
    by_wide, _ = Mirror(routers["wide"].machine, IN_BOTH), by_narrow.close()
    lab.server.approve_routes("narrow")
    at_once(traveller, lambda: by_wide.seen_from(traveller.machine), "without it the wide one leads")
    by_wide.close()


@both_versions
def test_a_rejected_route_leads_nowhere(lab: Lab, routers: Clients, travellers: Clients, version: str) -> None:
    traveller = travellers[version]
    lab.server.approve_routes("wide", WIDE)
    traveller.reach(IN_WIDE)
    lab.server.approve_routes("wide")
    at_once(traveller, lambda: not routes_by(traveller, "wide"), "the route is gone")
    assert not traveller.pings(IN_WIDE)
    lab.server.approve_routes("wide", WIDE)
    traveller.reach(IN_WIDE)


@both_versions
def test_sites_with_the_same_addresses_are_told_apart_by_4via6(lab: Lab, travellers: Clients, version: str) -> None:
    traveller, host = travellers[version], "192.168.77.1"
    sites = SITES[version]
    routers = {site: site_router(lab, site, version, host) for site in sites}
    for site, other in (sites, sites[::-1]):
        mirror = Mirror(routers[site].machine, host)
        at_once(traveller, partial(mirror.seen_from, traveller.machine, by=via(site)), f"site {site} is reached")
        assert not mirror.seen_from(traveller.machine, by=via(other))
        mirror.close()
        assert traveller.resolve(f"192-168-77-1-via-{site}", 6) == via(site), "it has a name too"


def site_router(lab: Lab, site: int, version: str, host: str) -> Client:
    """A router that serves a site whose network is the same as another site's."""
    router = lab.client(f"site-{site}", version)
    router.machine.ip("addr", "add", f"{host}/32", "dev", "lo")
    router.machine.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    route = router.tailscale("debug", "via", str(site), "192.168.77.0/24").strip()
    router.up(lab.server.url, lab.server.auth_key(), f"--advertise-routes={route}")
    lab.server.approve_routes(router.name, route)
    return router


def via(site: int) -> str:
    """The address of 192.168.77.1 in a site."""
    return f"fd7a:115c:a1e0:b1a:0:{site:x}:c0a8:4d01"


def test_which_of_two_routers_serves_a_route_is_chosen_per_viewer(
    lab: Lab, routers: Clients, travellers: Clients
) -> None:
    shared = "10.62.0.0/24"
    chosen = {OLDEST: ("wide", "tag:office"), NEWEST: ("narrow", "tag:lab")}
    for name, own in (("wide", WIDE), ("narrow", NARROW)):
        routers[name].tailscale("set", f"--advertise-routes={own},{shared}")
        lab.server.approve_routes(name, shared)
    near = {"src": ["lab@"], "dst": ["lab@", "tag:office", "tag:lab"], "ip": ["*"]}
    steered = [
        {"src": [travellers[version].addresses()[0]], "dst": [shared], "ip": ["*"], "via": [tag]}
        for version, (_, tag) in chosen.items()
    ]
    lab.server.set_policy({**POLICY, "grants": [near, *steered]})
    for version, (name, _) in chosen.items():
        traveller, other = travellers[version], "narrow" if name == "wide" else "wide"
        at_once(traveller, partial(_goes_by, traveller, shared, name), f"{traveller.name} goes by {name}")
        assert shared not in routes_by(traveller, other)


def _goes_by(viewer: Client, route: str, router: str) -> bool:
    return route in routes_by(viewer, router)
