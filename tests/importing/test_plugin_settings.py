"""Headscale's settings that are a plugin's here."""

import tomllib

import pytest

from hatsize.server.settings import load_section
from hatsize_metrics.settings import Settings as MetricsSettings
from hatsize_oidc.settings import Settings as OidcSettings

OIDC = """
oidc:
  issuer: https://id.example.com/realms/main
  client_id: headscale
  client_secret_path: secret
  scope: [openid, profile, email, groups]
  extra_params: {domain_hint: example.com}
  allowed_domains: [example.com]
  allowed_groups: [vpn]
  use_expiry_from_token: true
  pkce: {enabled: true}
"""


def provider(settings):
    (found,) = load_section(settings, "oidc", OidcSettings, environ={}).providers
    return found


def test_the_identity_provider_comes_over_and_waits_to_be_enabled(mapped, tmp_path):
    settings, told = mapped(OIDC)
    assert settings.plugins.enabled == ()
    found = provider(settings)
    assert (found.name, found.issuer) == ("oidc", "https://id.example.com/realms/main")
    assert (found.client_id, found.client_secret_file) == ("headscale", tmp_path / "secret")
    assert found.scopes == ("openid", "profile", "email", "groups")
    assert found.authorize == {"domain_hint": "example.com"}
    assert found.node_expiry == "token"
    assert found.callback == "/oidc/callback"
    assert told[-1].startswith("plugin oidc: its settings are written")


def test_who_was_let_in_is_let_in_and_no_one_else(mapped):
    found = provider(mapped(OIDC)[0])
    assert (found.allowed_domains, found.allowed_users, found.allowed_groups) == (("example.com",), (), ("vpn",))
    assert (found.groups_claim, found.unverified_email) == ("groups", "drop")


def test_an_email_that_was_believed_unverified_is(mapped):
    settings, _ = mapped(OIDC + "  email_verified_required: false\n")
    assert provider(settings).unverified_email == "accept"


def test_a_secret_comes_over_and_is_not_told(mapped):
    settings, told = mapped(OIDC.replace("client_secret_path: secret", "client_secret: hush"))
    assert provider(settings).client_secret.get_secret_value() == "hush"
    assert "hush" not in str(told)


def test_variables_speak_of_the_provider_too(mapped):
    settings, _ = mapped(
        OIDC, HEADSCALE_OIDC_CLIENT_ID="other", HEADSCALE_OIDC_ALLOWED_USERS="a@example.com b@example.com"
    )
    assert provider(settings).client_id == "other"
    assert provider(settings).allowed_users == ("a@example.com", "b@example.com")


def test_without_a_provider_nothing_is_written_of_one(mapped, tmp_path):
    mapped("{dns: {base_domain: example.net}, oidc: {client_id: headscale}}")
    assert "plugins" not in tomllib.loads((tmp_path / "hatsize.toml").read_text())


@pytest.mark.parametrize(
    ("given", "listen"), [(":9090", "0.0.0.0:9090"), ("localhost:9090", "127.0.0.1:9090"), ("[::1]:9090", "[::1]:9090")]
)
def test_the_metrics_address_is_one_that_the_plugin_takes(mapped, given, listen):
    settings, _ = mapped(f'metrics_listen_addr: "{given}"')
    assert load_section(settings, "metrics", MetricsSettings, environ={}).listen == listen


def test_metrics_are_where_they_were_once_enabled(mapped):
    settings, told = mapped("metrics_listen_addr: 127.0.0.1:9090")
    assert load_section(settings, "metrics", MetricsSettings, environ={}).listen == "127.0.0.1:9090"
    assert told == ["plugin metrics: its settings are written, and in force once `metrics` is in `plugins.enabled`"]
