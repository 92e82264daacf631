"""OAuth clients of Headscale's: their secrets stay good."""

from datetime import UTC, datetime

from hatsize.importing.plan import change_for
from hatsize.tailnet.model import Credential, CredentialKind
from hatsize.tailnet.secrets import matches, presented
from hatsize.tailnet.state import State

SECRET = "hskey-client-0123456789ab-" + "5" * 64
NOW = datetime(2026, 7, 1, tzinfo=UTC)


def test_a_client_comes_over_with_its_secret_scopes_and_tags(planned):
    (client,) = planned("oauth-clients").oauth_clients
    assert (client.kind, client.prefix, client.user_id) == (CredentialKind.OAUTH_CLIENT, "0123456789ab", 1)
    assert (client.scopes, client.tags) == (("auth_keys", "devices:core"), ("tag:k8s-operator",))
    assert (client.description, client.created) == ("operator", datetime(2026, 6, 1, 8, tzinfo=UTC))
    assert matches(client, SECRET)
    assert not matches(client, SECRET[:-1] + "6")


def test_what_does_not_come_over_is_named(planned):
    findings = planned("oauth-clients").findings
    assert findings.plain()["counts"]["OAuth clients"] == {"found": 3, "imported": 1}
    told = [each for each in findings.told if each.what.startswith("OAuth client")]
    assert {(each.kind.value, each.what, each.text.split(":")[0]) for each in told} == {
        ("changed", "OAuth client 0123456789ab", "'webhooks' is no scope here"),
        ("changed", "OAuth client ba9876543210", "'webhooks' is no scope here"),
        ("left out", "OAuth client ba9876543210", "it may do nothing that is known here"),
        ("left out", "OAuth client cccccccccccc", "its secret is in no form that Headscale makes"),
    }  # fmt: skip


def test_a_database_without_clients_tells_nothing_of_them(planned):
    assert "OAuth clients" not in planned("users-with-profiles").findings.counts


def test_beside_keys_of_the_same_id_a_client_gets_an_id_of_its_own(planned):
    state = State(1)
    state.apply(change_for(planned("oauth-clients"), state, frozenset()))
    kinds = {key.id: key.kind for key in state.all(Credential)}
    assert kinds == {1: CredentialKind.API_KEY, 2: CredentialKind.OAUTH_CLIENT}
    assert presented(state, CredentialKind.OAUTH_CLIENT, SECRET, NOW).id == 2


def test_importing_again_changes_nothing(planned):
    state = State(1)
    state.apply(change_for(planned("oauth-clients"), state, frozenset()))
    assert change_for(planned("oauth-clients"), state, frozenset()) is None
