"""Set-up pages for Apple's and Windows' clients, which take another control server by a profile or the registry."""

import uuid
from dataclasses import dataclass

from quart import Blueprint, Response, abort, render_template

from hatsize.hooks.pages import PAGE_HEADERS

PROFILE = "application/x-apple-aspen-config; charset=utf-8"


@dataclass(frozen=True, slots=True)
class AppleClient:
    """One of the two clients for macOS, which read different preferences."""

    title: str
    domain: str
    """The preferences' domain."""


APPLE = {
    "macos-app-store": AppleClient("from the App Store", "io.tailscale.ipn.macos"),
    "macos-standalone": AppleClient("standalone", "io.tailscale.ipn.macsys"),
}
"""By what stands behind `/apple/`."""


def blueprint(url: str) -> Blueprint:
    """The pages for a server that clients reach by `url`."""
    routes = Blueprint("platforms", __name__, template_folder="templates")

    @routes.get("/apple")
    async def apple() -> tuple[str, int, dict[str, str]]:
        return await render_template("apple.html", url=url, clients=APPLE), 200, PAGE_HEADERS

    @routes.get("/windows")
    async def windows() -> tuple[str, int, dict[str, str]]:
        return await render_template("windows.html", url=url), 200, PAGE_HEADERS

    @routes.get("/apple/<platform>")
    async def profile(platform: str) -> Response:
        client = APPLE.get(platform)
        if client is None:
            abort(404)
        text = await render_template(
            "apple_profile.xml",
            url=url,
            client=client,
            profile_id=_identifier(url, platform, "profile"),
            payload_id=_identifier(url, platform, "payload"),
        )
        name = f'attachment; filename="hatsize-{platform}.mobileconfig"'
        return Response(text, content_type=PROFILE, headers={"Content-Disposition": name})

    return routes


def _identifier(url: str, platform: str, part: str) -> str:
    """The same for the same server, so that installing a profile again replaces the former one."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{url}/apple/{platform}#{part}")).upper()
