"""Asks an HTTP service about each machine that would be let in."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from anyio import to_thread
from pydantic import BaseModel, SecretStr, field_validator

from hatsize.hooks import hookimpl
from hatsize.hooks.auth import Allow, Decision, Deny, Registration
from hatsize.hooks.setup import Setup
from hatsize.tailnet.model import User


class Settings(BaseModel, extra="forbid"):
    """The section `[plugins.http-auth]`."""

    url: str = "http://127.0.0.1:9100/ask"
    token: SecretStr = SecretStr("")
    timeout_seconds: float = 5.0

    @field_validator("url")
    @classmethod
    def _web(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("is not an http:// or https:// URL")
        return url


@dataclass(frozen=True)
class Service:
    """The service that is asked."""

    settings: Settings

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The service's answer; blocks, and raises OSError or ValueError when there is none that can be read."""
        headers = {"Content-Type": "application/json"}
        if token := self.settings.token.get_secret_value():
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.settings.url, json.dumps(question).encode(), headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=self.settings.timeout_seconds) as answer:  # noqa: S310
            told: dict[str, Any] = json.load(answer)
        return told


class HttpAuthPlugin:
    hatsize_api = "1.0"
    _service: Service

    @hookimpl
    def hatsize_settings(self) -> type[Settings]:
        return Settings

    @hookimpl
    def hatsize_configured(self, setup: Setup) -> None:
        self._service = Service(setup.settings)

    @hookimpl
    async def hatsize_registration(self, registration: Registration, user: User | None) -> Decision | None:
        info = registration.request.Hostinfo
        question = {
            "hostname": info.Hostname if info else "",
            "os": info.OS if info else "",
            "remote": registration.remote,
            "user": user.login_name if user else None,
        }
        try:
            answer = await to_thread.run_sync(self._service.ask, question, abandon_on_cancel=True)
        except (OSError, ValueError):
            return Deny("the service that decides who joins does not answer, try again later")
        if answer.get("hold"):
            return Allow(user_id=user.id if user else None, method="http-auth", authorized=False)
        return None if answer.get("allow") is True else Deny(str(answer.get("reason") or "you may not join"))


plugin = HttpAuthPlugin()
