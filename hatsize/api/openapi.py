"""The OpenAPI 3.1 description of an API, made from the operations themselves."""

import re
from types import NoneType
from typing import Any, get_args

import msgspec

import hatsize
from hatsize.api.definition import Api
from hatsize.api.operation import ANYBODY, JSON, Operation, Reply

TEMPLATE = "#/components/schemas/{name}"
AS_IT_IS = (bytes, Reply, NoneType)
"""Bodies and answers that are not JSON of a known form."""


def describe(api: Api) -> dict[str, Any]:
    """The whole document."""
    types = [api.errors.body, *(struct for operation in api.operations for struct in _structs(operation))]
    schemas, components = msgspec.json.schema_components(types, ref_template=TEMPLATE)
    refs = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in api.operations:
        described = _operation(api, operation, refs, components)
        paths.setdefault(api.base + operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hatsize API", "version": api.version, "description": f"Hatsize {hatsize.__version__}."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {name: {"type": "http", "scheme": name} for name in _schemes(api)},
        },
    }


def _schemes(api: Api) -> list[str]:
    return ["bearer", "basic"] if api.basic else ["bearer"]


def _structs(operation: Operation) -> list[Any]:
    found = [_struct(operation.types[part]) for part in ("query", "body", "return") if part in operation.types]
    return [annotation for annotation in found if annotation not in AS_IT_IS]


def _struct(annotation: Any) -> Any:
    """The struct of `Struct` or `Struct | None`."""
    if NoneType not in get_args(annotation):
        return annotation
    return next(part for part in get_args(annotation) if part is not NoneType)


def _operation(api: Api, operation: Operation, refs: dict[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.area],
        "security": [] if operation.scope == ANYBODY else [{name: []} for name in _schemes(api)],
        "parameters": _parameters(operation, components),
        "responses": {
            "200": {"description": "OK", **_content(operation.types["return"], JSON, refs)},
            "default": {"description": "Error", **_content(api.errors.body, api.errors.content_type, refs)},
        },
    }
    if operation.own_scope:
        described["description"] = f"Needs the scope `{operation.own_scope}`."
    if "body" in operation.types:
        annotation = operation.types["body"]
        described["requestBody"] = {
            "required": NoneType not in get_args(annotation),
            **(_content(annotation, JSON, refs) or {"content": {"*/*": {}}}),
        }
    return described


def _content(annotation: Any, content_type: str, refs: dict[Any, Any]) -> dict[str, Any]:
    """The part that says of which form a body is, where it is of one."""
    schema = refs.get(_struct(annotation))
    return {"content": {content_type: {"schema": schema}}} if schema else {}


def _parameters(operation: Operation, components: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    if "query" in operation.types:
        fields = components[operation.types["query"].__name__]["properties"]
        parts += [{"name": name, "in": "query", "schema": schema} for name, schema in fields.items()]
    return parts
