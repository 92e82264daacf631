"""API v2: keys are made, seen, set and revoked by whoever has the scope for their kind."""

from datetime import datetime, timedelta

import pytest

from hatsize.tailnet.model import Credential, CredentialKind

pytestmark = pytest.mark.anyio
KEYS = "/api/v2/tailnet/-/keys"
TAGGED = {"capabilities": {"devices": {"create": {"reusable": True, "preauthorized": True, "tags": ["tag:web"]}}}}


async def made(api, body, **arguments):
    return await (await api("POST", KEYS, body, **arguments)).get_json()


@pytest.fixture
def as_client(live, api):
    """Makes a client with some scopes and tags; what it returns asks with a token of that client."""

    async def make(*scopes: str, tags: tuple[str, ...] = ()):
        secret = (await made(api, {"keyType": "client", "scopes": scopes, "tags": tags}))["key"]
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await api("POST", "/api/v2/oauth/token", f"client_secret={secret}", headers=form, local=False)
        headers = {"Authorization": f"Bearer {(await answer.get_json())['access_token']}"}

        async def ask(method: str, path: str, body=None):
            return await api(method, path, body, headers=headers, local=False)

        return ask

    return make


async def status(response) -> int:
    return (await response).status_code


async def test_an_auth_key_is_made_as_the_hosted_services_clients_ask_for_it(live, api):
    key = await made(api, {**TAGGED, "expirySeconds": 86400, "description": "dev access"})
    secret, prefix = key.pop("key"), key["id"]
    assert secret.startswith(f"tskey-auth-{prefix}-")
    created, expires = (datetime.fromisoformat(key.pop(name)) for name in ("created", "expires"))
    assert expires - created == timedelta(days=1)
    assert key == {
        "id": prefix,
        "keyType": "auth",
        "expirySeconds": 86400,
        "capabilities": {
            "devices": {"create": {"reusable": True, "ephemeral": False, "preauthorized": True, "tags": ["tag:web"]}}
        },
        "tags": ["tag:web"],
        "description": "dev access",
    }
    record = live.state.get(Credential, 1)
    assert (record.reusable, record.ephemeral, record.preauthorized, record.tags) == (True, False, True, ("tag:web",))


async def test_an_auth_key_is_good_for_90_days_unless_something_else_is_said(api):
    assert (await made(api, TAGGED))["expirySeconds"] == 90 * 24 * 3600


async def test_an_auth_key_without_tags_is_the_users_whose_credential_asked(live, api):
    refused = await api("POST", KEYS, {"capabilities": {"devices": {"create": {"tags": None}}}})
    assert refused.status_code == 400
    assert "needs tags here" in (await refused.get_json())["message"]
    live.add_users("alice")
    secret = (await (await api("POST", "/api/v1/apikey", {"user": "1"})).get_json())["apiKey"]
    headers = {"Authorization": f"Bearer {secret}"}
    key = await made(api, {"capabilities": {"devices": {"create": {}}}}, headers=headers, local=False)
    assert (key["userId"], "tags" in key) == ("1", False)
    assert live.state.get(Credential, live.state.index.credential_by_prefix[key["id"]]).user_id == 1


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        ({"keyType": "api"}, 400, "hatsize apikeys create"),
        ({"keyType": "federated"}, 400, "no keys of the type 'federated'"),
        ({"keyType": "client"}, 400, "needs a scope at least"),
        ({"keyType": "client", "scopes": None, "tags": None}, 400, "needs a scope at least"),
        ({"keyType": "client", "scopes": ["flights"]}, 400, "'flights' is not a scope"),
        ({"keyType": "client", "scopes": ["auth_keys"]}, 400, "a client with auth_keys needs tags"),
        ({"keyType": "client", "scopes": ["dns"], "tags": ["web"]}, 400, "'web' is not a tag"),
        ({**TAGGED, "expirySeconds": -1}, 422, "expirySeconds"),
        ({**TAGGED, "expirySeconds": 10**15}, 422, "expirySeconds"),
        ({**TAGGED, "description": "x" * 51}, 422, "description"),
        ({**TAGGED, "oneTime": True}, 422, "oneTime"),
    ],
)
async def test_what_cannot_be_a_key_is_told_in_words(api, body, code, told):
    response = await api("POST", KEYS, body)
    assert response.status_code == code
    assert told in (await response.get_json())["message"]


async def test_a_client_is_made_seen_set_and_removed(live, api):
    client = await made(api, {"keyType": "client", "scopes": ["dns", "all:read"], "description": "ci"})
    assert client.pop("key").startswith(f"tskey-client-{client['id']}-")
    assert (client["keyType"], client["scopes"], client["description"]) == ("client", ["all:read", "dns"], "ci")
    path = f"{KEYS}/{client['id']}"
    assert await (await api("GET", path)).get_json() == client
    changed = {"keyType": "client", "scopes": ["auth_keys"], "tags": ["tag:ci"], "description": "cd"}
    answer = await (await api("PUT", path, changed)).get_json()
    assert answer | changed == answer
    assert await (await api("GET", path)).get_json() == answer
    gone = await api("DELETE", path)
    assert (gone.status_code, await gone.get_data()) == (200, b"")
    for method in ("GET", "DELETE"):
        assert (await api(method, path)).status_code == 404
    assert [change.kind for change in live.log] == ["credential.created", "credential.updated", "credential.deleted"]


async def test_a_clients_tokens_go_with_it_and_have_no_more_than_it_has(live, api, as_client):
    ask = await as_client("dns", "oauth_keys")
    path = f"{KEYS}/{live.state.get(Credential, 1).prefix}"
    assert await status(ask("GET", KEYS)) == 200
    await api("PUT", path, {"scopes": ["dns"]})
    assert await status(ask("GET", path)) == 403
    await api("DELETE", path)
    assert await status(ask("GET", KEYS)) == 401
    assert not list(live.state.all(Credential))


async def test_a_revoked_auth_key_stays_to_be_seen_but_is_not_listed(live, api):
    key = await made(api, TAGGED)
    path = f"{KEYS}/{key['id']}"
    for _ in range(2):
        assert (await api("DELETE", path)).status_code == 200
    shown = await (await api("GET", path)).get_json()
    assert shown["invalid"] is True
    assert shown["revoked"] > shown["created"]
    assert (await (await api("GET", KEYS)).get_json())["keys"] == []
    (listed,) = (await (await api("GET", "/api/v1/preauthkey")).get_json())["preAuthKeys"]
    assert listed["expiration"] == shown["revoked"]


async def test_an_expired_key_is_invalid(live, api):
    key = await made(api, {**TAGGED, "expirySeconds": 1})
    shown = await (await api("GET", f"{KEYS}/{key['id']}")).get_json()
    assert (shown["invalid"], "revoked" in shown) == (True, False)


async def test_api_keys_are_seen_and_removed_but_not_set(live, api):
    await api("POST", "/api/v1/apikey", {})
    path = f"{KEYS}/{live.state.get(Credential, 1).prefix}"
    shown = await (await api("GET", path)).get_json()
    assert (shown["keyType"], shown["scopes"]) == ("api", ["all"])
    assert (await api("PUT", path, {"scopes": ["dns"]})).status_code == 400
    assert (await api("DELETE", path)).status_code == 200
    assert (await api("GET", path)).status_code == 404


async def test_each_kind_needs_a_scope_of_its_own(live, api, as_client):
    auth, oauth, reader = await as_client("auth_keys", tags=("tag:web",)), await as_client("oauth_keys"), None
    await made(api, TAGGED)
    await api("POST", "/api/v1/apikey", {})
    reader = await as_client("all:read")
    for ask, kinds in ((auth, {"auth"}), (oauth, {"client"}), (reader, {"auth", "api", "client"})):
        answer = await (await ask("GET", f"{KEYS}?all=true")).get_json()
        assert {key["keyType"] for key in answer["keys"]} == kinds
    auth_key = next(key for key in live.state.all(Credential) if key.kind is CredentialKind.AUTH_KEY)
    path = f"{KEYS}/{auth_key.prefix}"
    assert [await status(ask("GET", path)) for ask in (auth, oauth, reader)] == [200, 403, 200]
    assert [await status(ask("DELETE", path)) for ask in (oauth, reader, auth)] == [403, 403, 200]


async def test_a_token_may_be_asked_for_by_itself_and_given_up(live, api, as_client):
    ask = await as_client("dns")
    path = f"{KEYS}/{live.state.get(Credential, 2).prefix}"
    shown = await (await ask("GET", path)).get_json()
    assert (shown["keyType"], shown["scopes"]) == ("api", ["dns"])
    assert await status(ask("DELETE", path)) == 200
    assert await status(ask("GET", path)) == 401


async def test_a_client_gives_away_its_tags_and_those_they_own_and_no_others(live, api, as_client):
    policy = '{"tagOwners": {"tag:k8s": ["tag:k8s-operator"], "tag:prod": []}}'
    await api("PUT", "/api/v1/policy", {"policy": policy})
    ask = await as_client("auth_keys", "oauth_keys", tags=("tag:k8s-operator",))

    def wish(*tags: str):
        return {"capabilities": {"devices": {"create": {"tags": tags}}}}

    assert await status(ask("POST", KEYS, wish("tag:k8s-operator"))) == 200
    assert await status(ask("POST", KEYS, wish("tag:k8s"))) == 200
    for tags in (("tag:prod",), ("tag:k8s", "tag:prod")):
        refused = await ask("POST", KEYS, wish(*tags))
        assert refused.status_code == 403
        assert "tag:prod is not among the tags" in (await refused.get_json())["message"]
    assert await status(ask("POST", KEYS, wish())) == 400
    assert await status(ask("POST", KEYS, {"keyType": "client", "scopes": ["auth_keys"], "tags": ["tag:prod"]})) == 403


async def test_a_client_makes_no_client_that_may_do_more_than_itself(live, api, as_client):
    ask = await as_client("oauth_keys", "dns:read")
    number = live.state.get(Credential, 1).prefix
    for scopes in (["dns"], ["all"], ["all:read"], ["oauth_keys", "users:read"]):
        assert await status(ask("POST", KEYS, {"keyType": "client", "scopes": scopes})) == 403
        assert await status(ask("PUT", f"{KEYS}/{number}", {"scopes": scopes})) == 403
    assert await status(ask("POST", KEYS, {"keyType": "client", "scopes": ["oauth_keys:read", "dns:read"]})) == 200


async def test_changes_are_kept_with_the_client_that_made_them(live, api, as_client):
    ask = await as_client("auth_keys", tags=("tag:web",))
    await ask("POST", KEYS, TAGGED)
    assert live.log[-1].actor == f"oauthclient:{live.state.get(Credential, 1).prefix}"


async def test_a_key_nobody_made_is_not_there(api):
    response = await api("GET", f"{KEYS}/kunknown")
    assert response.status_code == 404
    assert "'kunknown'" in (await response.get_json())["message"]
