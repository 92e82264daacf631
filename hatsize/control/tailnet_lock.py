"""`/machine/tka/…`: tailnet lock, which this server does not offer; clients are told so in words."""

from quart import Blueprint, Response

from hatsize.control.peer import text_answer


def blueprint() -> Blueprint:
    """Answers all of tailnet lock's endpoints."""
    routes = Blueprint("tailnet_lock", __name__)

    @routes.route("/machine/tka/<path:_step>", methods=["GET", "POST"])
    async def tka(_step: str) -> Response:
        return text_answer("tailnet lock is not available on this server", 501)

    return routes
