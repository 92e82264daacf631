"""The OpenAPI 3.1 description of API v1, made from the operations themselves."""

import re
from collections.abc import Sequence
from types import NoneType
from typing import Any, get_args

import msgspec

import hatsize
from hatsize.api.problems import CONTENT_TYPE, ProblemBody
from hatsize.api.v1.operation import Operation

JSON = "application/json"
TEMPLATE = "#/components/schemas/{name}"


def describe(operations: Sequence[Operation]) -> dict[str, Any]:
    """The whole document."""
    types = [ProblemBody, *(struct for operation in operations for struct in _structs(operation))]
    schemas, components = msgspec.json.schema_components(types, ref_template=TEMPLATE)
    refs = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, refs, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hatsize API", "version": "v1", "description": f"Hatsize {hatsize.__version__}."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _structs(operation: Operation) -> list[Any]:
    return [_struct(operation.types[part]) for part in ("query", "body", "return") if part in operation.types]


def _struct(annotation: Any) -> Any:
    """The struct of `Struct` or `Struct | None`."""
    return next((part for part in get_args(annotation) if part is not NoneType), annotation)


def _operation(operation: Operation, refs: dict[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.area],
        "security": [{"bearer": []}],
        "parameters": _parameters(operation, components),
        "responses": {
            "200": {"description": "OK", "content": {JSON: {"schema": refs[operation.types["return"]]}}},
            "default": {"description": "Error", "content": {CONTENT_TYPE: {"schema": refs[ProblemBody]}}},
        },
    }
    if "body" in operation.types:
        annotation = operation.types["body"]
        described["requestBody"] = {
            "required": NoneType not in get_args(annotation),
            "content": {JSON: {"schema": refs[_struct(annotation)]}},
        }
    return described


def _parameters(operation: Operation, components: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    if "query" in operation.types:
        fields = components[operation.types["query"].__name__]["properties"]
        parts += [{"name": name, "in": "query", "schema": schema} for name, schema in fields.items()]
    return parts
