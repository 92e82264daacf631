"""The structures of the control protocol, read as Go reads them and written as Go writes them."""

import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import MapRequest, MapResponse, Node, RegisterRequest, RegisterResponse, WireError

KEY = "nodekey:" + "ab" * 32


def read(kind, **fields):
    return tailcfg.decode(kind, json.dumps(fields).encode())


def written(message):
    return json.loads(tailcfg.encode(message))


def test_names_are_read_in_any_letter_case():
    assert read(MapRequest, version=113, NODEKEY=KEY).NodeKey == KEY


def test_unknown_fields_are_ignored():
    assert read(MapRequest, Version=113, Later={"a": [1]}).Version == 113


def test_null_is_the_zero_value_everywhere():
    request = read(MapRequest, Version=None, NodeKey=None, Endpoints=None, Hostinfo={"Hostname": None, "NetInfo": None})
    assert (request.Version, request.Endpoints, request.Hostinfo.Hostname) == (0, (), "")
    assert request.NodeKey.endswith("0" * 64)


def test_a_null_message_is_an_empty_one():
    assert tailcfg.decode(MapRequest, b"null") == MapRequest()


def test_null_in_a_capability_map_is_a_capability_without_arguments():
    assert read(Node, CapMap={"ssh": None, "n": [1]}).CapMap == {"ssh": None, "n": [1]}


def test_null_deletes_a_device_attribute():
    assert read(tailcfg.SetDeviceAttributesRequest, Update={"custom:a": None}).Update == {"custom:a": None}


@pytest.mark.parametrize("zero", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+02:00", "0000-12-31T23:00:00-01:00"])
def test_gos_zero_time_is_none(zero):
    assert read(RegisterRequest, Expiry=zero).Expiry is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:02:03Z", datetime(1970, 1, 1, 0, 2, 3, tzinfo=UTC)),
        ("1970-01-01T02:02:03+02:00", datetime(1970, 1, 1, 0, 2, 3, tzinfo=UTC)),
        ("2026-08-22T12:00:00.123456789-07:00", datetime(2026, 8, 22, 19, 0, 0, 123456, tzinfo=UTC)),
        ("2026-08-22T12:00:00.5Z", datetime(2026, 8, 22, 12, 0, 0, 500000, tzinfo=UTC)),
    ],
)
def test_times_come_out_in_utc_and_microseconds(text, moment):
    assert read(RegisterRequest, Expiry=text).Expiry == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59-23:59"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(WireError, match=r"RFC 3339 time - at `\$.Expiry`"):
        read(RegisterRequest, Expiry=text)


def test_prefixes_are_masked_and_canonical():
    hostinfo = read(tailcfg.Hostinfo, RoutableIPs=["10.1.2.3/8", "2001:DB8::1/32"])
    assert hostinfo.RoutableIPs == ("10.0.0.0/8", "2001:db8::/32")


@pytest.mark.parametrize(
    "text", ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "fe80::%eth0/64", "x/8", "1.2.3.4/+8"]
)
def test_what_is_no_prefix_is_refused(text):
    with pytest.raises(WireError, match=r"IP prefix|IP address"):
        read(tailcfg.Hostinfo, RoutableIPs=[text])


@pytest.mark.parametrize("text", ["1.2.3.4:41641", "[2001:db8::1]:41641", "[fe80::1%eth0]:1", ""])
def test_endpoints_keep_their_form(text):
    assert read(MapRequest, Endpoints=[text]).Endpoints == (text,)


@pytest.mark.parametrize(
    "text", ["1.2.3.4", "1.2.3.4:65536", "2001:db8::1:80", "[1.2.3.4]:80", "host:80", "1.2.3.4:-1"]
)
def test_what_is_no_endpoint_is_refused(text):
    with pytest.raises(WireError, match=r"\$.Endpoints\[...\]"):
        read(MapRequest, Endpoints=[text])


def test_an_empty_address_is_none():
    assert read(tailcfg.PingRequest, IP="").IP == ""


def test_keys_come_out_in_lower_case():
    assert read(MapRequest, NodeKey="nodekey:" + "AB" * 32).NodeKey == KEY


@pytest.mark.parametrize("text", ["", "nodekey:12", "mkey:" + "ab" * 32, "nodekey:" + "zz" * 32])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(WireError, match=r"\$.NodeKey"):
        read(MapRequest, NodeKey=text)


def test_an_error_names_the_field_and_not_its_content():
    with pytest.raises(WireError) as caught:
        read(RegisterRequest, Auth={"AuthKey": ["tskey-auth-secret"]})
    assert "$.Auth.AuthKey" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"text"', b"\xff", b'{"Version":1.5}', b'{"Version":9223372036854775808}']
)
def test_what_is_no_message_is_refused(body):
    with pytest.raises(WireError):
        tailcfg.decode(MapRequest, body)


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"Hostinfo":' * 100_000, b'{"CapMap":{"x":' + b"[" * 100_000])
def test_deep_nesting_is_refused(body):
    with pytest.raises(WireError):
        tailcfg.decode(Node, body)


def test_nul_does_not_reach_a_text():
    assert read(tailcfg.Hostinfo, Hostname="a\0b").Hostname == "a\ufffdb"


def test_secrets_do_not_show_in_a_request():
    assert "tskey" not in repr(read(RegisterRequest, Auth={"AuthKey": "tskey-auth-x"}))


def test_a_keepalive_is_one_field():
    assert tailcfg.encode(MapResponse(KeepAlive=True)) == b'{"KeepAlive":true}'


def test_a_register_answer_has_all_its_fields():
    assert written(RegisterResponse()) == {
        "User": {"ID": 0, "DisplayName": ""},
        "Login": {"ID": 0, "Provider": "", "LoginName": "", "DisplayName": ""},
        "NodeKeyExpired": False,
        "MachineAuthorized": False,
        "AuthURL": "",
        "NodeKeySignature": None,
        "Error": "",
    }


def test_every_node_has_a_hostinfo():
    assert written(Node(ID=1))["Hostinfo"] == {}


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (MapResponse(), {}),
        (MapResponse(PacketFilter=[]), {"PacketFilter": []}),
        (MapResponse(PacketFilters={"*": None, "base": []}), {"PacketFilters": {"*": None, "base": []}}),
        (MapResponse(Health=[]), {"Health": []}),
        (MapResponse(SSHPolicy=tailcfg.SSHPolicy()), {"SSHPolicy": {"rules": []}}),
        (MapResponse(OnlineChange={7: False}), {"OnlineChange": {"7": False}}),
        (tailcfg.PeerChange(NodeID=1, Online=False), {"NodeID": 1, "Online": False}),
        (tailcfg.DERPMap(Regions={900: None}), {"Regions": {"900": None}}),
        (tailcfg.Hostinfo(SSHHostKeys=("ssh-ed25519 x",)), {"sshHostKeys": ["ssh-ed25519 x"]}),
        (tailcfg.TKABootstrapResponse(GenesisAUM=b"\xfb\xff"), {"GenesisAUM": "+/8="}),
    ],
)
def test_absent_and_empty_are_told_apart(message, fields):
    assert written(message) == fields


def test_ssh_names_begin_in_lower_case():
    rule = tailcfg.SSHRule(Principals=[tailcfg.SSHPrincipal(NodeIP="100.64.0.1")], SSHUsers={"root": ""})
    assert written(rule) == {"principals": [{"nodeIP": "100.64.0.1"}], "sshUsers": {"root": ""}, "action": None}


def test_what_is_written_is_read_back():
    response = MapResponse(
        Node=Node(ID=1, Key=KEY, Created=datetime(2026, 1, 1, tzinfo=UTC), CapMap={"a": None}),
        DERPMap=tailcfg.DERPMap(Regions={1: tailcfg.DERPRegion(RegionID=1, Nodes=[tailcfg.DERPNode(Name="1a")])}),
        PacketFilters={"base": [tailcfg.FilterRule(SrcIPs=["*"], DstPorts=[tailcfg.NetPortRange(IP="*")])]},
    )
    assert written(tailcfg.decode(MapResponse, tailcfg.encode(response))) == written(response)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.just("0001-01-01T00:00:00Z")
    | st.just(KEY),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(MapRequest.__struct_fields__), inner),
    max_leaves=20,
)
KINDS = [
    getattr(tailcfg, name)
    for name in tailcfg.__all__
    if isinstance(getattr(tailcfg, name), type) and issubclass(getattr(tailcfg, name), tailcfg.Wire)
]


@given(st.sampled_from(KINDS), st.data())
def test_any_json_is_read_or_refused(kind, data):
    names = st.sampled_from(kind.__struct_encode_fields__ or ("x",))
    body = json.dumps(data.draw(st.dictionaries(names, JSON) | JSON)).encode()
    try:
        message = tailcfg.decode(kind, body)
    except WireError:
        return
    tailcfg.encode(message)


@given(st.sampled_from(KINDS), st.binary())
def test_any_bytes_are_read_or_refused(kind, body):
    with contextlib.suppress(WireError):
        tailcfg.decode(kind, body)
