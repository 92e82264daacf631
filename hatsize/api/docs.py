"""The page that documents an API: plain HTML, nothing loaded from elsewhere."""

from html import escape
from itertools import groupby
from operator import attrgetter

from hatsize.api.definition import Api
from hatsize.api.operation import Operation

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
td { padding: .2rem 1rem .2rem 0; vertical-align: top } code { white-space: nowrap }
"""
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<title>Hatsize API {version}</title><style>{style}</style></head>
<body>
<h1>Hatsize API {version}</h1>
<p>Described for programs in <a href="{base}/openapi.yaml">{base}/openapi.yaml</a> and
<a href="{base}/openapi.json">{base}/openapi.json</a>.
Send an API key with each request, <code>Authorization: Bearer tskey-api-…</code>;
<code>hatsize apikeys create</code> makes one.</p>
{areas}
</body>
</html>
"""


def docs_page(api: Api) -> str:
    """The page, with the operations grouped by noun."""
    areas = "".join(
        f"<h2>{escape(area)}</h2>\n<table>\n{''.join(_row(api, member) for member in members)}</table>\n"
        for area, members in groupby(sorted(api.operations, key=attrgetter("area")), key=attrgetter("area"))
    )
    return PAGE.format(style=STYLE, version=api.version, base=api.base, areas=areas)


def _row(api: Api, operation: Operation) -> str:
    what = f"{operation.method} {api.base}{operation.path}"
    scope = f"<td><code>{escape(operation.own_scope)}</code></td>" if operation.own_scope else ""
    return f"<tr><td><code>{escape(what)}</code></td><td>{escape(operation.summary)}</td>{scope}</tr>\n"
