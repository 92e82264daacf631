"""`hatsize ldap check`: what the directory answers."""

import pytest
from click.testing import CliRunner

from hatsize.testing.server import free_port
from hatsize_ldap.commands import ldap
from hatsize_ldap.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture
def check(settings):
    """Runs the command with settings for these servers; what is typed is `given`."""

    def run(*servers, arguments=(), given="", **more):
        made = settings(*servers, **more) if servers else Settings()
        return CliRunner().invoke(ldap(lambda: made), ["check", *arguments], input=given)

    return run


def test_every_server_is_asked(check, company):
    nobody = f"ldap://127.0.0.1:{free_port()}"
    result = check(nobody, company)
    assert result.exit_code == 1
    assert f"{company.url}: answers" in result.stdout
    assert f"{nobody}: " in result.stderr
    assert "refused" in result.stderr


def test_all_is_well_when_all_answer(check, company):
    result = check(company, company.ldaps_url)
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_user_is_shown_as_the_server_would_take_them(check, company):
    result = check(company, arguments=["ann"])
    assert result.exit_code == 0
    for words in (f"uid=ann,{'ou=people'}", "ann@example.com", "group:dev@example.com", "May log in    yes"):
        assert words in result.stdout


def test_why_somebody_may_not_log_in_is_shown(check, company):
    result = check(company, arguments=["bob"], allowed_groups=["dev"])
    assert "no: the account is in none of the groups" in result.stdout


def test_a_password_is_asked_for_and_not_shown(check, company):
    result = check(company, arguments=["ann", "--password"], given="ann-secret\n")
    assert result.exit_code == 0
    assert "May log in    yes" in result.stdout
    assert "ann-secret" not in result.output


@pytest.mark.parametrize(
    ("arguments", "given", "words"),
    [
        (["ann", "--password"], "wrong\n", "the name or the password is wrong"),
        (["nobody"], "", "there is no user 'nobody'"),
    ],
)
def test_what_is_wrong_is_said(check, company, arguments, given, words):
    result = check(company, arguments=arguments, given=given)
    assert result.exit_code == 1
    assert words in result.stderr


def test_without_servers_there_is_nothing_to_ask(check):
    result = check()
    assert result.exit_code == 1
    assert "no servers are set" in result.stderr
