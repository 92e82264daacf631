"""The buttons on the server's own pages that lead to a provider."""

from urllib.parse import quote

from hatsize.tailnet.model import PendingLogin
from hatsize_oidc.settings import Provider


class Button:
    """A provider as a way to log in."""

    def __init__(self, settings: Provider) -> None:
        self.name = settings.name
        self.title = settings.button

    def start_url(self, login: PendingLogin) -> str:
        return f"/oidc/{self.name}/start?auth={quote(login.auth_id)}"


class CheckButton(Button):
    """A provider that can also make somebody show anew who they are."""

    def check_url(self, login: PendingLogin) -> str:
        return self.start_url(login)


def button(settings: Provider) -> Button:
    """A provider's button."""
    return CheckButton(settings) if settings.ssh_check else Button(settings)
