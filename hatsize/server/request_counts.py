"""Counts an app's requests by the route that answered them, never by what was asked for."""

from time import monotonic

from quart import Quart, Response, g, request

from hatsize.live.measures import Measures

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_requests(app: Quart, name: str, measures: Measures) -> None:
    """Count every request of the app, and how long it took until the answer's head was ready."""

    @app.before_request
    async def begin() -> None:
        g.begun = monotonic()

    @app.after_request
    async def end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "(none)"
        method = request.method if request.method in METHODS else "(other)"
        measures.request(name, method, route, response.status_code, monotonic() - g.get("begun", monotonic()))
        return response
