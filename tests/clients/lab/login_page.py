"""The server's own pages around a login at an identity provider, as a person goes through them."""

from tests.clients.lab.browser import Browser
from tests.clients.lab.client import Client


def choose(browser: Browser, url: str, provider: str) -> None:
    """Open the page that a machine, or a session, waits at, and go on to a provider."""
    browser.open(url)
    browser.click(f'a[href^="/oidc/{provider}/"]')


def confirm(browser: Browser, client: Client) -> None:
    """Say that the machine is one's own; returns when it is in."""
    browser.wait_text("Is this your machine?")
    browser.click("#confirm")
    browser.wait_text("This machine is in")
    client.end_login()
    client.wait_state("Running")


def confirm_session(browser: Browser) -> None:
    """Say that the SSH session is one's own."""
    browser.wait_text("Is this your session?")
    browser.click("#confirm")
    browser.wait_text("The session goes on")
