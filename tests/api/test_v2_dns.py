"""API v2's DNS: each part by itself, and the whole at once."""

import json

import pytest

from hatsize.tailnet.dns import DnsChoice

pytestmark = pytest.mark.anyio
BASE = "/api/v2/tailnet/-/dns/"


async def answer(api, method, part, body=None):
    response = await api(method, BASE + part, body)
    return response.status_code, json.loads(await response.get_data())


@pytest.mark.parametrize(
    ("part", "configured", "given", "told"),
    [
        ("nameservers", {"dns": []}, {"dns": ["1.1.1.1", "https://dns.nextdns.io/abc"]}, {"magicDNS": True}),
        ("preferences", {"magicDNS": True}, {"magicDNS": False}, {}),
        ("searchpaths", {"searchPaths": []}, {"searchPaths": ["lab.example", "corp.example"]}, {}),
    ],
)
async def test_a_part_is_set_and_given_back(api, part, configured, given, told):
    assert await answer(api, "GET", part) == (200, configured)
    assert await answer(api, "POST", part, given) == (200, given | told)
    assert await answer(api, "GET", part) == (200, given)


@pytest.mark.parametrize(("part", "name"), [("nameservers", "dns"), ("searchpaths", "searchPaths")])
@pytest.mark.parametrize("nothing", [[], None])
async def test_a_list_is_emptied_by_null_too(live, api, part, name, nothing):
    live.dns.configured = DnsChoice(nameservers=("9.9.9.9",), search_domains=("corp.example",))
    assert (await answer(api, "POST", part, {name: nothing}))[1][name] == []
    assert await answer(api, "GET", part) == (200, {name: []})


async def test_without_nameservers_magicdns_and_an_override_stay(live, api):
    live.dns.configured = DnsChoice(nameservers=("9.9.9.9",), override_local=True)
    assert await answer(api, "POST", "nameservers", {"dns": []}) == (200, {"dns": [], "magicDNS": True})
    await answer(api, "POST", "nameservers", {"dns": ["1.1.1.1"]})
    _, now = await answer(api, "GET", "configuration")
    assert now["preferences"] == {"overrideLocalDNS": True, "magicDNS": True}


async def test_domains_are_patched(api):
    assert await answer(api, "GET", "split-dns") == (200, {"corp.example": ["10.0.0.53"]})
    patch = {"lab.example": ["10.1.0.53", "10.1.1.53"]}
    assert await answer(api, "PATCH", "split-dns", patch) == (200, {"corp.example": ["10.0.0.53"], **patch})


@pytest.mark.parametrize("nothing", [[], None])
async def test_a_domain_is_taken_away_by_a_patch(api, nothing):
    patch = {"Corp.Example.": nothing, "never.example": nothing}
    assert await answer(api, "PATCH", "split-dns", patch) == (200, {})


async def test_domains_are_replaced(api):
    given = {"lab.example": ["10.1.0.53"], "corp.example": None, "here.example": []}
    expected = {"lab.example": ["10.1.0.53"], "here.example": []}
    assert await answer(api, "PUT", "split-dns", given) == (200, expected)
    assert await answer(api, "PUT", "split-dns", {}) == (200, {})


WHOLE = {
    "nameservers": [
        {"address": "1.1.1.1", "useWithExitNode": False}, {"address": "9.9.9.9", "useWithExitNode": False},
    ],
    "splitDNS": {"lab.example": [{"address": "10.1.0.53", "useWithExitNode": True}]},
    "searchPaths": ["lab.example"],
    "preferences": {"overrideLocalDNS": True, "magicDNS": True},
}  # fmt: skip
NOTHING = {
    "nameservers": [], "splitDNS": {}, "searchPaths": [],
    "preferences": {"overrideLocalDNS": False, "magicDNS": False},
}  # fmt: skip


async def test_the_whole_is_set_and_given_back(api):
    assert await answer(api, "POST", "configuration", WHOLE) == (200, WHOLE)
    assert await answer(api, "GET", "configuration") == (200, WHOLE)


async def test_a_resolver_asked_through_exit_nodes_too_says_so_where_it_stands_by_itself(api):
    await answer(api, "POST", "configuration", WHOLE)
    assert await answer(api, "GET", "split-dns") == (200, {"lab.example": ["10.1.0.53#with-exit-node"]})


async def test_what_is_left_out_of_the_whole_is_empty_or_off(api):
    await answer(api, "POST", "configuration", WHOLE)
    assert await answer(api, "POST", "configuration", {}) == (200, NOTHING)


async def test_nameservers_of_the_whole_are_told_in_the_order_of_their_addresses(api):
    given = {"nameservers": [{"address": "9.9.9.9"}, {"address": "1.1.1.1"}]}
    _, told = await answer(api, "POST", "configuration", given)
    assert [each["address"] for each in told["nameservers"]] == ["1.1.1.1", "9.9.9.9"]
    assert await answer(api, "GET", "nameservers") == (200, {"dns": ["9.9.9.9", "1.1.1.1"]})


@pytest.mark.parametrize(
    ("method", "part", "body", "word"),
    [
        ("POST", "nameservers", {"dns": ["one"]}, "one"),
        ("POST", "nameservers", {}, "dns"),
        ("POST", "searchpaths", {"searchPaths": ["no domain"]}, "no domain"),
        ("POST", "preferences", {}, "magicDNS"),
        ("PATCH", "split-dns", {"-x-": ["1.1.1.1"]}, "-x-"),
        ("PUT", "split-dns", {"x.example": ["100.100.100.100"]}, "100.100.100.100"),
        ("POST", "configuration", {"preferences": {"overrideLocalDNS": True}}, "set nameservers first"),
        ("POST", "configuration", {"nameservers": [{"address": ""}]}, "is not a resolver"),
        ("POST", "configuration", {"searchDomains": []}, "searchDomains"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_name(live, api, method, part, body, word):
    status, refusal = await answer(api, method, part, body)
    assert status in {400, 422}
    assert word in refusal["message"]
    assert not live.log


@pytest.mark.parametrize("part", ["nameservers", "preferences", "searchpaths", "split-dns", "configuration"])
async def test_who_may_read_may_not_write(api, token, part):
    reader = {"Authorization": f"Bearer {token('dns:read')}"}
    writes = ["PUT", "PATCH"] if part == "split-dns" else ["POST"]
    answers = [await api(method, BASE + part, {}, headers=reader, local=False) for method in ["GET", *writes]]
    assert [each.status_code for each in answers] == [200, *(403 for _ in writes)]


async def test_what_is_set_here_is_what_v1_tells(api):
    await answer(api, "POST", "configuration", WHOLE)
    told = json.loads(await (await api("GET", "/api/v1/dns")).get_data())
    assert told["dns"]["nameservers"] == ["1.1.1.1", "9.9.9.9"]
    assert told["changed"] == ["magicDns", "overrideLocalDns", "nameservers", "split", "searchDomains"]
