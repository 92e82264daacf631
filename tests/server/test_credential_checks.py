"""API credentials that plugins answer for."""

import urllib.error
import urllib.request

import anyio
import pytest
from anyio import to_thread

from hatsize.api.problems import Problem
from hatsize.hooks import hookimpl
from hatsize.hooks.auth import UnavailableError
from hatsize.hooks.calls import SERVICE_DEADLINES
from hatsize.hooks.manager import Plugins
from hatsize.server.credential_checks import METHOD, presenter

pytestmark = pytest.mark.anyio


class Checker:
    """Answers with what it has, whatever it is asked."""

    hatsize_api = "1.0"

    def __init__(self, name, answer):
        self.name, self.answer = name, answer
        self.asked = []

    @hookimpl
    def hatsize_register_credential_checker(self):
        return self

    async def check(self, credential):
        self.asked.append(credential)
        if isinstance(self.answer, Exception):
            raise self.answer
        return await self.answer() if callable(self.answer) else self.answer


def with_checkers(*answers):
    plugins = Plugins()
    for number, answer in enumerate(answers):
        plugins.add(Checker(f"c{number}", answer), f"c{number}")
    return plugins


async def test_without_checkers_nobody_is_known():
    assert await presenter(Plugins(), "beep") == ""


async def test_the_first_that_knows_it_says_who_it_is():
    plugins = with_checkers(None, "welder", "painter")
    assert await presenter(plugins, "beep") == "c1:welder"
    assert [checker.asked for checker in plugins.services("credential_checker")] == [["beep"], ["beep"], []]


async def test_what_none_knows_is_nobodys():
    assert await presenter(with_checkers(None, None), "beep") == ""


@pytest.mark.parametrize("answer", [True, "", 7, b"welder"])
async def test_an_answer_that_is_no_name_is_none(answer):
    assert await presenter(with_checkers(answer), "beep") == ""


@pytest.mark.parametrize("answer", [RuntimeError("broken"), UnavailableError("away"), anyio.sleep_forever])
async def test_one_that_cannot_be_asked_lets_nobody_in_and_says_so(monkeypatch, answer):
    monkeypatch.setitem(SERVICE_DEADLINES, METHOD, 0.01)
    with pytest.raises(Problem) as refusal:
        await presenter(with_checkers(answer, None), "beep")
    assert refusal.value.status == 503
    assert await presenter(with_checkers(answer, "welder"), "beep") == "c1:welder"


@pytest.mark.slow
async def test_a_whole_server_takes_their_word(hatsize_server):
    async with hatsize_server() as server:
        plugins = server.parts.live.services.plugins
        plugins.add(Checker("robots", "welder"), "robots")
        answers = [await to_thread.run_sync(status_with, server.url, secret) for secret in ("beep", "tskey-api-x-y")]
        assert answers == [200, 401]


def status_with(url, credential):
    request = urllib.request.Request(f"{url}/api/v1/node", headers={"Authorization": f"Bearer {credential}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code
