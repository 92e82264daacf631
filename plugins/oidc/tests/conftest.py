"""A provider in the test's own process, and a browser that goes to and fro between it and the plugin's pages."""

import json
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from hatsize.testing.web import plugin_server, web_app
from hatsize_oidc.pages import Pages
from hatsize_oidc.provider import OidcProvider
from hatsize_oidc.refresh_tokens import RefreshTokens
from hatsize_oidc.settings import Provider
from hatsize_oidc.upkeep import Upkeep
from hatsize_oidc.wishes import Wishes

ISSUER = "https://id.example.com/realms/main"
ANN = {"sub": "ann-1", "email": "ann@example.com", "email_verified": True, "preferred_username": "ann", "name": "Ann"}
URL = "http://hatsize.example"


def now():
    return datetime.now(UTC)


async def in_pieces(body):
    """A body as it comes from a network."""
    for start in range(0, len(body), 65536):
        yield body[start : start + 65536]


class FakeProvider:
    """An OpenID provider that does what a test tells it, and notes what it was asked."""

    def __init__(self):
        self.issuer = ISSUER
        self.asked = []
        self.down = False
        self.metadata = {}
        self.token_answer = None
        self.id_token_claims = {}
        self.userinfo = None
        self.person = dict(ANN)
        self.refreshing = "refresh-1"
        self.keys = [ECKey.generate_key("P-256", {"kid": "one"})]
        self.published = None
        self._logins = {}

    @property
    def transport(self):
        return httpx2.MockTransport(self._answer)

    def authorize(self, url, **more):
        """A person logs in on the page at `url`: what the browser comes back with."""
        query = dict(parse_qsl(urlsplit(url).query))
        code = f"code-{len(self._logins)}"
        self._logins[code] = query
        return {"state": query["state"], "code": code, "iss": ISSUER, **more}

    def id_token(self, nonce=None, **claims):
        at = int(now().timestamp())
        told = {"iss": ISSUER, "aud": "hatsize", "iat": at, "exp": at + 300, **self.person}
        told |= {"nonce": nonce} if nonce else {}
        told |= {**self.id_token_claims, **claims}
        key = self.keys[0]
        return jwt.encode({"alg": "ES256", "kid": key.kid}, {k: v for k, v in told.items() if v is not None}, key)

    def count(self, path):
        return sum(request.url.path.endswith(path) for request in self.asked)

    def _answer(self, request):
        self.asked.append(request)
        if self.down:
            raise httpx2.ConnectError("connection refused", request=request)
        path = request.url.path.rpartition("/")[2]
        if path == "openid-configuration":
            return httpx2.Response(200, json=self._document())
        if path == "keys":
            return httpx2.Response(200, json=KeySet(self.published or self.keys).as_dict(private=False))
        if path == "userinfo":
            return httpx2.Response(200, json=self.userinfo)
        return self._token(parse_qs(request.content.decode()))

    def _document(self):
        endpoints = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "keys"}
        if self.userinfo is not None:
            endpoints["userinfo_endpoint"] = "userinfo"
        return {
            "issuer": ISSUER,
            **{name: f"{ISSUER}/{path}" for name, path in endpoints.items()},
            "id_token_signing_alg_values_supported": ["ES256", "HS256"],
            **self.metadata,
        }

    def _token(self, form):
        if self.token_answer is not None:
            status, body = self.token_answer
            return httpx2.Response(
                status, content=in_pieces(body if isinstance(body, bytes) else json.dumps(body).encode())
            )
        if form["grant_type"] == ["refresh_token"]:
            if form["refresh_token"] != [self.refreshing]:
                return httpx2.Response(400, json={"error": "invalid_grant"})
            self.refreshing += "+"
            return httpx2.Response(200, json=self._tokens())
        login = self._logins.pop(form["code"][0], None)
        if login is None:
            return httpx2.Response(400, json={"error": "invalid_grant"})
        return httpx2.Response(200, json=self._tokens(login["nonce"]))

    def _tokens(self, nonce=None):
        tokens = {"access_token": "access-secret", "token_type": "Bearer", "expires_in": 300}
        refresh = {"refresh_token": self.refreshing} if self.refreshing else {}
        return {**tokens, **refresh, "id_token": self.id_token(nonce)}


class Browser:
    """Keeps cookies, and follows a login as far as a test wants."""

    def __init__(self, app, fake):
        self._client, self._fake = app.test_client(), fake
        self.status, self.body, self.location, self.headers = 0, "", "", {}

    async def get(self, path):
        return await self._read(await self._client.get(path))

    async def start(self, auth_id, name="work"):
        """To the provider's login page."""
        return await self.get(f"/oidc/{name}/start?auth={auth_id}")

    async def come_back(self, name="work", **more):
        """Log in there, and come back to the page that asks for confirmation."""
        answer = self._fake.authorize(self.location, **more)
        return await self.get(f"/oidc/{name}/callback?{urlencode(answer)}")

    async def confirm(self, name="work", token=None, **headers):
        """Press the button."""
        found = re.search(r'name="token" value="([^"]+)"', self.body)
        form = {"token": token if token is not None else found[1] if found else ""}
        return await self._read(await self._client.post(f"/oidc/{name}/confirm", form=form, headers=headers))

    async def post(self, path, **form):
        return await self._read(await self._client.post(path, form=form))

    async def log_in(self, auth_id, name="work"):
        await self.start(auth_id, name)
        await self.come_back(name)
        return await self.confirm(name)

    def take_over(self, other):
        """Be another browser, at another replica: have its cookies, and what it shows."""
        self._client.cookie_jar, self.location, self.body = other._client.cookie_jar, other.location, other.body

    def cookies(self):
        return list(self._client.cookie_jar)

    async def _read(self, answer):
        self.status, self.headers = answer.status_code, answer.headers
        self.location = answer.headers.get("Location", "")
        self.body = await answer.get_data(as_text=True)
        return self


@pytest.fixture
def fake():
    return FakeProvider()


@pytest.fixture
def browser_of(fake):
    """Makes browsers of an app."""
    return lambda app: Browser(app, fake)


@pytest.fixture
def settings():
    """Makes a provider's settings."""

    def make(**given):
        return Provider(**{"name": "work", "issuer": ISSUER, "client_id": "hatsize", **given})

    return make


@pytest.fixture
async def view(tailnet):
    return plugin_server(tailnet)


class Tokens(RefreshTokens):
    """Tells tests what is kept."""

    def get(self, identity):
        """Somebody's token; empty where there is none."""
        return next((kept.token for kept in self.of(identity.provider) if kept.identity == identity), "")


@pytest.fixture
def tokens(view):
    return Tokens(view.store("oidc"), view.derived_key("oidc:refresh-tokens"), view.now)


@pytest.fixture
def upkeep(view, tokens):
    """Makes what asks a provider about people."""

    def make(provider, kept=tokens, server=view):
        return Upkeep(server, {provider.name: provider}, kept, Wishes(server.store("oidc"), server.now))

    return make


@pytest.fixture
def provider(fake, settings):
    """Makes the plugin's side of a provider."""

    def make(**given):
        return OidcProvider(settings(**given), now, fake.transport)

    return make


@pytest.fixture
def pages(browser_of, provider, tailnet, view, tokens, upkeep):
    """Makes browsers of a server whose one provider has these settings."""

    def make(**given):
        made = provider(**given)
        asking = upkeep(made)
        app = web_app(tailnet, Pages(view, {made.name: made}, tokens, asking).blueprint())

        def browser():
            return browser_of(app)

        browser.upkeep = asking
        return browser

    return make


@pytest.fixture
def browser(pages):
    """A browser, where the settings are the plainest."""
    return pages()()
