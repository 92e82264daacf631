"""`hatsize dns`: what each verb asks of the server, and what it prints."""

import pytest

SETTINGS = {
    "magicDns": True, "overrideLocalDns": False, "nameservers": ["9.9.9.9"], "split": {"corp.example": ["10.0.0.53"]},
    "searchDomains": [],
}  # fmt: skip
FOUND = {"dns": SETTINGS, "baseDomain": "net.example", "configured": SETTINGS, "changed": ["nameservers"]}
RECORD = {
    "id": "3", "name": "db.example", "type": "A", "value": "192.0.2.1", "ttl": 0, "source": "api",
    "answeredBy": "clients",
}  # fmt: skip
CHANGES = {
    "magic on": {"magicDns": True},
    "magic off": {"magicDns": False},
    "magic reset": {"magicDns": None},
    "override on": {"overrideLocalDns": True},
    "nameservers set 9.9.9.9 https://dns.quad9.net/dns-query": {
        "nameservers": ["9.9.9.9", "https://dns.quad9.net/dns-query"]
    },
    "nameservers set 9.9.9.9 --override": {"nameservers": ["9.9.9.9"], "overrideLocalDns": True},
    "nameservers set 9.9.9.9 --no-override": {"nameservers": ["9.9.9.9"], "overrideLocalDns": False},
    "nameservers clear": {"nameservers": [], "overrideLocalDns": False},
    "nameservers reset": {"nameservers": None, "overrideLocalDns": None},
    "search set corp.example lab.example": {"searchDomains": ["corp.example", "lab.example"]},
    "search clear": {"searchDomains": []},
    "search reset": {"searchDomains": None},
    "split reset": {"split": None},
}


@pytest.mark.parametrize("words", CHANGES)
def test_a_verb_changes_what_it_names_and_no_more(hatsize, server, words):
    server.answer("PATCH /dns", FOUND)
    assert hatsize("dns", *words.split()).code == 0
    assert hatsize("dns", *words.split(), "-o", "json").json == FOUND
    assert server.asked == [("PATCH /dns", CHANGES[words])] * 2


def test_single_domains_get_resolvers_and_lose_them(hatsize, server):
    server.answer("PUT /dns/split/lab.example", FOUND)
    server.answer("DELETE /dns/split/lab.example", FOUND)
    assert hatsize("dns", "split", "set", "lab.example", "10.1.0.53", "10.1.0.54").out == "Split DNS updated\n"
    assert hatsize("dns", "split", "remove", "lab.example").code == 0
    assert server.asked[0][1] == {"nameservers": ["10.1.0.53", "10.1.0.54"]}


def test_settings_are_shown_with_where_they_are_from(hatsize, server):
    server.answer("GET /dns", FOUND)
    lines = [" ".join(line.split()) for line in hatsize("dns", "show").out.splitlines()]
    assert "Base domain net.example settings" in lines
    assert "Nameservers 9.9.9.9 set at run time" in lines
    assert "Split DNS corp.example: 10.0.0.53 settings" in lines
    assert "MagicDNS on settings" in lines
    assert {"corp.example", "10.0.0.53"} <= set(hatsize("dns", "split", "list").out.split())


def test_what_is_doubtful_is_told_to_people(hatsize, server):
    server.answer("PATCH /dns", FOUND | {"warnings": ["nobody asks them"]})
    result = hatsize("dns", "nameservers", "set", "9.9.9.9")
    assert (result.code, result.out, "nobody asks them" in result.err) == (0, "Nameservers updated\n", True)


def test_records_are_added_listed_and_removed(hatsize, server):
    server.answer("POST /dns/record", {"record": RECORD, "warnings": ["take care"]})
    server.answer("GET /dns/record", {"records": [RECORD, RECORD | {"id": None, "answeredBy": "", "source": "file"}]})
    server.answer("DELETE /dns/record/3", {})
    added = hatsize("dns", "records", "add", "db.example", "A", "192.0.2.1", "--ttl", "60")
    assert (added.out, "take care" in added.err) == ("Record 3 added\n", True)
    assert server.asked[0][1] == {"name": "db.example", "type": "A", "value": "192.0.2.1", "ttl": 60}
    own, other = hatsize("dns", "records", "list").out.splitlines()[-2:]
    assert own.split() == ["3", "db.example", "A", "192.0.2.1", "-", "api", "clients"]
    assert other.split() == ["-", "db.example", "A", "192.0.2.1", "-", "file", "nobody"]
    assert hatsize("dns", "records", "rm", "-i", "3").out == "Record removed\n"


@pytest.mark.parametrize(
    "words", ["magic maybe", "nameservers set", "search set", "split set lab.example", "records add x.example A"]
)
def test_what_is_missing_is_told_before_the_server_is_asked(hatsize, server, words):
    assert hatsize("dns", *words.split()).code == 2
    assert not server.asked
