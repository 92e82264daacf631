"""Asking plugins about API credentials that are none of the server's own."""

from functools import partial
from http import HTTPStatus

from hatsize.api.problems import Problem
from hatsize.hooks.auth import CredentialChecker
from hatsize.hooks.manager import Plugins

METHOD = "CredentialChecker.check"


async def presenter(plugins: Plugins, credential: str) -> str:
    """Who the first checker that knows the credential says presents it, as `CHECKER:WORD`; empty when none does.

    Raises the 503 Problem when none does, and one of them could not be asked.
    """
    unanswered = False
    checkers: list[CredentialChecker] = plugins.services("credential_checker")
    for checker in checkers:
        done, who = await plugins.calls.service(checker.name, METHOD, partial(checker.check, credential))
        if done and isinstance(who, str) and who:
            return f"{checker.name}:{who}"
        unanswered |= not done
    if unanswered:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the credential cannot be checked now, try again later")
    return ""
