"""What the API says of itself, to anybody: its description, its page, health, version, and CORS."""

import json
import re

import pytest
import yaml

import hatsize
from hatsize.api.v1.blueprint import V1

pytestmark = pytest.mark.anyio


async def described(api):
    return json.loads(await (await api("GET", "/api/v1/openapi.json", local=False)).get_data())


async def test_every_operation_is_described_in_openapi_3_1(api):
    document = await described(api)
    assert document["openapi"].startswith("3.1")
    names = {part["operationId"] for path in document["paths"].values() for part in path.values()}
    assert names == {operation.name for operation in V1.operations}
    assert len(names) == len(V1.operations)


async def test_every_reference_leads_somewhere(api):
    document = await described(api)
    referred = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert referred <= set(document["components"]["schemas"])


async def test_bodies_parameters_and_errors_are_described(api):
    paths = (await described(api))["paths"]
    expire = paths["/api/v1/node/{nodeId}/expire"]["post"]
    assert expire["parameters"] == [{"name": "nodeId", "in": "path", "required": True, "schema": {"type": "string"}}]
    assert expire["requestBody"]["required"] is False
    assert "application/problem+json" in expire["responses"]["default"]["content"]
    assert [part["name"] for part in paths["/api/v1/user"]["get"]["parameters"]] == ["id", "name", "email"]


async def test_yaml_and_json_say_the_same(api):
    text = await (await api("GET", "/api/v1/openapi.yaml", local=False)).get_data(as_text=True)
    assert text.startswith("openapi:") or "\nopenapi:" in text
    assert yaml.safe_load(text) == await described(api)


async def test_the_page_lists_every_operation_and_loads_nothing_from_elsewhere(api):
    page = await (await api("GET", "/api/v1/docs", local=False)).get_data(as_text=True)
    assert all(f"{operation.method} /api/v1{operation.path}" in page for operation in V1.operations)
    assert "/api/v1/openapi.yaml" in page
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page)


async def test_anybody_may_ask_for_health_and_version(live, api):
    health = await api("GET", "/health", local=False)
    assert (health.status_code, await health.get_json(force=True)) == (200, {"status": "pass"})
    live.storage_problem_is = "database /var/lib/hatsize/hatsize.db: the disk is full"
    unwell = await api("GET", "/health", local=False)
    assert (unwell.status_code, (await unwell.get_json(force=True))["status"]) == (500, "fail")
    assert "/var" not in await unwell.get_data(as_text=True)
    version = await (await api("GET", "/version", local=False)).get_json()
    assert {"version", "commit", "buildTime", "dirty"} <= set(version)


async def test_consoles_find_headscales_number_and_ours_behind_it(api):
    version = await (await api("GET", "/version", local=False)).get_json()
    number, _, ours = version["version"].partition("+")
    assert tuple(map(int, number.removeprefix("v").split("."))) >= (0, 28, 0)
    assert ours == f"hatsize.{hatsize.__version__}"


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://console.example.com", True), ("https://evil.example", False)]
)
async def test_a_console_of_a_configured_origin_may_read_answers(api, origin, allowed):
    for method in ("GET", "OPTIONS"):
        response = await api(method, "/api/v1/node", headers={"Origin": origin})
        assert ("Access-Control-Allow-Origin" in response.headers) is allowed
        assert "Access-Control-Allow-Credentials" not in response.headers


async def test_a_preflight_needs_no_key_but_the_request_after_it_does(api):
    headers = {"Origin": "https://console.example.com", "Access-Control-Request-Headers": "authorization"}
    preflight = await api("OPTIONS", "/api/v1/user/1/rename/bob", headers=headers, local=False)
    assert preflight.status_code == 204
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    refused = await api("GET", "/api/v1/node", headers=headers, local=False)
    assert refused.status_code == 401
    assert "Access-Control-Allow-Origin" in refused.headers
