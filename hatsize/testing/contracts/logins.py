"""The contracts of what lets people log in, as tests. Subclass one and say how yours is made:

class TestMine(PasswordProviderContract):
    @pytest.fixture
    def provider(self):
        return Mine()

    @pytest.fixture
    def account(self):
        return "ann", "a password that is right"
"""

import logging
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from hatsize.hooks.auth import LoginIdentity, LoginProvider, PasswordProvider
from hatsize.hooks.calls import PATIENCE
from hatsize.hooks.holding import Watched
from hatsize.tailnet.model import PendingLogin
from hatsize.wire.keys import parse_machine_key, parse_node_key

NOW = datetime(2026, 3, 4, tzinfo=UTC)
REMOTE = "192.0.2.1"
LOGIN = PendingLogin(
    id=1,
    auth_id="hskey-authreq-0123456789abcdef01234567",
    machine_key=parse_machine_key("mkey:" + "7" * 64),
    node_key=parse_node_key("nodekey:" + "7" * 64),
    created=NOW,
    expires=NOW,
)
NOBODY = "nobody-has-this-name"
WRONG = "this-is-nobodys-password"
NASTY = ["*", "*)(uid=*", "' OR 1=1 --", "\0", "a\r\nb", "../..", "é", "x" * 1000]
"""What is typed by who tries more than guessing."""


class PasswordProviderContract:
    """What every password provider promises: who it is for the right password, and nobody for anything else."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def provider(self) -> PasswordProvider:
        raise NotImplementedError("the subclass supplies `provider`")

    @pytest.fixture
    def account(self) -> tuple[str, str]:
        """A name and the password that is right for it."""
        raise NotImplementedError("the subclass supplies `account`")

    def test_it_has_a_name_and_a_title(self, provider: PasswordProvider) -> None:
        assert provider.name
        assert provider.title

    @pytest.mark.anyio
    async def test_the_right_password_is_somebody_and_always_the_same(
        self, provider: PasswordProvider, account: tuple[str, str]
    ) -> None:
        first, second = [await provider.check(*account, REMOTE) for _ in range(2)]
        assert isinstance(first, LoginIdentity)
        assert isinstance(second, LoginIdentity)
        assert first.identity.subject
        assert first.name
        assert first.identity == second.identity

    @pytest.mark.anyio
    async def test_anything_else_is_nobody(self, provider: PasswordProvider, account: tuple[str, str]) -> None:
        username, password = account
        for tried in [(username, WRONG), (NOBODY, password), (NOBODY, WRONG), (username, ""), ("", password), ("", "")]:
            assert await provider.check(*tried, REMOTE) is None, tried

    @pytest.mark.anyio
    @pytest.mark.parametrize("nasty", NASTY)
    async def test_whatever_is_typed_is_only_a_name_or_a_password(
        self, provider: PasswordProvider, account: tuple[str, str], nasty: str
    ) -> None:
        username, password = account
        for tried in [(nasty, password), (username + nasty, password), (username, nasty), (nasty, nasty)]:
            assert await provider.check(*tried, REMOTE) is None, tried

    @pytest.mark.anyio
    async def test_no_password_is_logged(
        self, provider: PasswordProvider, account: tuple[str, str], caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            await provider.check(*account, REMOTE)
            await provider.check(account[0], WRONG, REMOTE)
        assert account[1] not in caplog.text
        assert WRONG not in caplog.text

    @pytest.mark.anyio
    async def test_the_server_goes_on_meanwhile(self, provider: PasswordProvider, account: tuple[str, str]) -> None:
        watched = Watched(provider.check(*account, REMOTE))
        await watched
        assert watched.longest < PATIENCE, "let what blocks run in a thread"


class LoginProviderContract:
    """What every login provider promises: a button that leads somewhere, for one login."""

    @pytest.fixture
    def provider(self) -> LoginProvider:
        raise NotImplementedError("the subclass supplies `provider`")

    def test_it_has_a_name_and_a_title(self, provider: LoginProvider) -> None:
        assert provider.name
        assert provider.title

    def test_its_button_leads_to_a_page_of_the_servers_own_or_over_tls(self, provider: LoginProvider) -> None:
        url = provider.start_url(LOGIN)
        assert url.isascii()
        assert not any(char.isspace() for char in url)
        parts = urlsplit(url)
        if parts.netloc:
            assert parts.scheme == "https"
        else:
            assert (parts.scheme, parts.path[:1]) == ("", "/")

    def test_each_login_has_a_url_of_its_own(self, provider: LoginProvider) -> None:
        assert LOGIN.auth_id in provider.start_url(LOGIN)
