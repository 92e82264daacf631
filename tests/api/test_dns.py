"""API v1: DNS settings and records."""

import pytest
from msgspec.structs import replace

from hatsize.tailnet.model import Credential, DnsRecord, Node
from hatsize.wire.tailcfg import DNSRecord

pytestmark = pytest.mark.anyio
CONFIGURED = {
    "magicDns": True,
    "overrideLocalDns": False,
    "nameservers": [],
    "split": {"corp.example": ["10.0.0.53"]},
    "searchDomains": [],
}


async def answer(api, method, path, body=None):
    response = await api(method, f"/api/v1/dns{path}", body)
    return response.status_code, await response.get_json()


async def test_settings_are_shown_as_they_are_in_force_and_configured(api):
    assert await answer(api, "GET", "") == (
        200,
        {"dns": CONFIGURED, "baseDomain": "net.example", "configured": CONFIGURED, "changed": []},
    )


async def test_what_is_given_changes_and_null_goes_back(live, api):
    status, body = await answer(api, "PATCH", "", {"magicDns": False, "searchDomains": ["Lab.example."]})
    assert status == 200
    assert body["dns"] == {**CONFIGURED, "magicDns": False, "searchDomains": ["lab.example"]}
    assert body["changed"] == ["magicDns", "searchDomains"]
    _, body = await answer(api, "PATCH", "", {"magicDns": None})
    assert (body["dns"]["magicDns"], body["changed"]) == (True, ["searchDomains"])
    assert [change.kind for change in live.log] == ["dns.updated"] * 2


async def test_a_change_that_is_none_is_answered_all_the_same(live, api):
    assert (await answer(api, "PATCH", "", {}))[0] == 200
    assert not live.log


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"nameservers": ["dns.example"]}, 400, "dns.example"),
        ({"nameservers": "9.9.9.9"}, 422, "nameservers"),
        ({"split": {"a b": []}}, 400, "domain name"),
        ({"searchDomains": ["-x"]}, 400, "domain name"),
        ({"overrideLocalDns": True}, 400, "set nameservers first"),
        ({"baseDomain": "x.example"}, 422, "baseDomain"),
        (None, 400, "body is required"),
    ],
)
async def test_bad_settings_are_told_what_is_wrong_and_change_nothing(live, api, body, status, told):
    got, problem = await answer(api, "PATCH", "", body)
    assert got == status
    assert told in problem["detail"]
    assert not live.log


async def test_resolvers_that_are_hardly_asked_are_warned_of(api):
    _, body = await answer(api, "PATCH", "", {"nameservers": ["https://doh.example/dns-query"]})
    assert [warning.partition(":")[0] for warning in body["warnings"]] == [
        "https",
        "nameservers are asked only where a machine has no resolvers of its own, as behind an exit node",
    ]
    _, body = await answer(api, "PATCH", "", {"nameservers": ["9.9.9.9"], "overrideLocalDns": True})
    assert "warnings" not in body


async def test_a_domain_gets_resolvers_and_loses_them(api):
    _, body = await answer(api, "PUT", "/split/lab.example", {"nameservers": ["10.1.0.53"]})
    assert body["dns"]["split"] == {"corp.example": ["10.0.0.53"], "lab.example": ["10.1.0.53"]}
    _, body = await answer(api, "DELETE", "/split/corp.example")
    assert body["dns"]["split"] == {"lab.example": ["10.1.0.53"]}
    status, problem = await answer(api, "DELETE", "/split/corp.example")
    assert (status, "corp.example" in problem["detail"]) == (404, True)


async def test_a_record_is_added_listed_and_removed(live, api):
    status, body = await answer(api, "POST", "/record", {"name": "Db.Lab.example", "value": "192.0.2.1"})
    record = {
        "id": "1", "name": "db.lab.example", "type": "A", "value": "192.0.2.1", "ttl": 0, "source": "api",
        "answeredBy": "clients",
    }  # fmt: skip
    assert (status, body) == (200, {"record": record})
    assert await answer(api, "GET", "/record") == (200, {"records": [record]})
    assert await answer(api, "DELETE", "/record/1") == (200, {})
    assert not live.state.table(DnsRecord)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("DELETE", "/record/1", None, 404),
        ("DELETE", "/record/x", None, 400),
        ("POST", "/record", {"name": "a.example"}, 422),
        ("POST", "/record", {"name": "a.example", "value": "x"}, 400),
        ("POST", "/record", {"name": "a.example", "type": "MX", "value": "x"}, 400),
        ("POST", "/record", {"name": "a.example", "value": "192.0.2.1", "ttl": -1}, 400),
    ],
)
async def test_a_record_that_cannot_be_is_refused(api, method, path, body, status):
    got, problem = await answer(api, method, path, body)
    assert got == status
    assert problem["detail"]


async def test_a_record_is_there_once(api):
    record = {"name": "a.example", "value": "192.0.2.1"}
    await answer(api, "POST", "/record", record)
    assert (await answer(api, "POST", "/record", record))[0] == 409


async def test_records_from_elsewhere_are_listed_with_where_they_are_from(live, api):
    live.dns.others = [("file", DNSRecord(Name="x.example", Value="2001:db8::1"))]
    _, body = await answer(api, "GET", "/record")
    assert [(each["id"], each["type"], each["source"]) for each in body["records"]] == [(None, "AAAA", "file")]


@pytest.mark.parametrize(
    ("record", "answered_by", "told"),
    [
        ({"name": "x.example", "type": "TXT", "value": "hi"}, "", "clients answer A and AAAA records alone"),
        ({"name": "*.x.example", "value": "192.0.2.1"}, "", "dns split set x.example"),
        ({"name": "www.example", "type": "CNAME", "value": "no.example"}, "", "no node"),
        ({"name": "t.net.example", "type": "TXT", "value": "hi"}, "", "dns split set net.example"),
        (
            {"name": "_sip._tcp.corp.example", "type": "SRV", "value": "1 1 5060 sip.corp.example"},
            "10.0.0.53, the resolvers of corp.example",
            "",
        ),
        ({"name": "*.corp.example", "value": "192.0.2.1"}, "10.0.0.53, the resolvers of corp.example", ""),
    ],
)
async def test_who_answers_for_a_record_is_told_and_what_to_do_where_nobody_does(api, record, answered_by, told):
    _, body = await answer(api, "POST", "/record", record)
    assert body["record"]["answeredBy"] == answered_by
    assert [told in warning for warning in body.get("warnings", [])] == ([True] if told else [])


async def test_beside_an_address_nobody_answers_for_a_text(api):
    await answer(api, "PUT", "/split/corp.example", {"nameservers": ["10.0.0.53"]})
    text = {"name": "wiki.corp.example", "type": "TXT", "value": "hi"}
    _, alone = await answer(api, "POST", "/record", text)
    assert alone["record"]["answeredBy"] == "10.0.0.53, the resolvers of corp.example"
    await answer(api, "POST", "/record", {"name": "wiki.corp.example", "value": "192.0.2.1"})
    _, beside = await answer(api, "POST", "/record", text | {"value": "more"})
    assert beside["record"]["answeredBy"] == ""
    assert "give the record a name of its own" in beside["warnings"][0]


async def test_a_node_answers_for_aliases_of_it_and_shares_its_name(live, api):
    live.add_users("alice")
    await api("POST", "/api/v1/preauthkey", {"user": "1"})
    node = live.state.get(Node, live.join("web", live.state.get(Credential, 1)))
    live.state._put(replace(node, ipv4="100.64.0.1"))
    _, alias = await answer(
        api, "POST", "/record", {"name": "www.example", "type": "CNAME", "value": "web.net.example"}
    )
    assert alias["record"]["answeredBy"] == "clients, with the addresses of web.net.example"
    _, double = await answer(api, "POST", "/record", {"name": "web.net.example", "value": "192.0.2.1"})
    assert double["warnings"] == ["a node has the name web.net.example too: clients give either's addresses"]
    _, below = await answer(api, "POST", "/record", {"name": "*.web.net.example", "value": "100.64.0.1"})
    assert "dns-subdomain-resolve" in below["warnings"][0]
