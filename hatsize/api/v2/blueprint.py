"""API v2 as a Quart blueprint."""

from quart import Blueprint

from hatsize.api.blueprint import api_blueprint
from hatsize.api.contract import Live
from hatsize.api.definition import Api, operations_of
from hatsize.api.v2 import (
    acl,
    acl_preview,
    acl_validate,
    devices,
    devices_attributes,
    devices_key,
    devices_routes,
    dns,
    dns_configuration,
    dns_split,
    keys,
    oauth,
    settings,
    users,
    users_standing,
)
from hatsize.api.v2.refusal import ERRORS
from hatsize.api.v2.tailnets import check_tailnet

AREAS = (
    acl,
    acl_preview,
    acl_validate,
    devices,
    devices_attributes,
    devices_key,
    devices_routes,
    dns,
    dns_configuration,
    dns_split,
    keys,
    oauth,
    settings,
    users,
    users_standing,
)
V2 = Api(version="v2", operations=operations_of(AREAS), errors=ERRORS, basic=True, check_path=check_tailnet)


def api_v2(live: Live) -> Blueprint:
    """The blueprint of everything below `/api/v2`."""
    return api_blueprint(live, V2)
