"""The pages of a DERP host in a Quart app."""

from collections.abc import Awaitable, Callable

from quart import Blueprint, Response, request

from hatsize.derp.pages import Handler, Names, Request, pages


def blueprint(names: Names = dict, *, without: frozenset[str] = frozenset()) -> Blueprint:
    """All pages but those whose paths the app has pages of its own for."""
    made = Blueprint("derp", __name__)
    for path, handler in pages(names).items():
        if path not in without:
            methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"] if path.startswith("/derp/") else ["GET"]
            made.add_url_rule(path, f"page{path.replace('/', '_')}".replace(".", "_"), _view(handler), methods=methods)
    return made


def _view(handler: Handler) -> Callable[[], Awaitable[Response]]:
    async def view() -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        page = handler(Request(request.method, request.path, request.args.to_dict(), headers))
        response = Response(page.body, page.status)
        if "Content-Type" not in page.headers:
            del response.headers["Content-Type"]
        response.headers.update(dict(page.headers))
        return response

    return view
