"""Two OpenID Connect providers and a directory, side by side on one login page."""

import re

import pytest
from anyio import to_thread

from hatsize.testing.server import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def provider(name, title):
    return {"name": name, "title": title, "issuer": f"http://127.0.0.1:{free_port()}", "client_id": "hatsize"}


async def test_all_of_them_are_on_the_page_in_the_settings_order(hatsize_server):
    plugins = {
        "enabled": ["oidc", "ldap"],
        "oidc": {"providers": [provider("work", "Log in at work"), provider("club", "Log in at the club")]},
        "ldap": {"servers": ["ldaps://127.0.0.1:1"], "base_dn": "dc=example", "title": "The school's account"},
    }
    async with hatsize_server({"plugins": plugins}) as server, await server.client("desk") as client:
        path = re.search(r"/register/.*", (await client.register()).AuthURL)[0]
        page = await to_thread.run_sync(read, server.url + path)
    words = ["Log in at work", "Log in at the club", "The school&#39;s account", "Log in and add desk"]
    places = [page.index(each) for each in words]
    assert places == sorted(places)
    assert page.count('class="button"') == 3


def read(url):
    from urllib.request import urlopen

    with urlopen(url, timeout=10) as answer:
        return answer.read().decode()
