"""`hatsize oidc check`: what the providers say of themselves."""

from click.testing import CliRunner

from hatsize_oidc.commands import oidc


def check(*providers, name=()):
    return CliRunner().invoke(oidc(lambda: {each.name: each for each in providers}), ["check", *name])


def test_a_provider_that_can_be_used_is_shown(provider, fake):
    fake.userinfo = {}
    result = check(provider())
    assert result.exit_code == 0
    for told in ("work: answers", "https://id.example.com/realms/main", "ES256", "profiles", "/oidc/work/callback"):
        assert told in result.output


def test_one_that_cannot_is_said_in_words(provider, fake):
    fake.down = True
    result = check(provider())
    assert result.exit_code == 1
    assert "work: work cannot be reached at https://id.example.com" in result.output


def test_a_name_that_is_none_is_said(provider):
    assert "no provider 'other' is set" in check(provider(), name=["other"]).output
    assert "no providers are set" in check().output
