"""HTTP API v2: the hosted service's, as far as it goes, for Terraform, `tscli` and whatever else speaks it.

How an area is added. A module has `area = Area("Devices")` and in it operations, as those of v1 do:

    @area.add("GET", "/tailnet/{tailnet}/devices", "listDevices", "List devices", scope="devices:core:read")
    async def list_devices(call: Call, query: ListDevices) -> DevicesAnswer: ...

and it is named in `AREAS` of `hatsize.api.v2.blueprint`. `hatsize.api.operation` tells how a handler's parameters are
read and what it may return. What v2 does by itself:

- `{tailnet}` is checked, and handlers are not given it. Every other part of a path is a parameter of the handler.
- The credential must have been granted `scope`, a write including the read. Where what is needed depends on the
  request, `scope=""` is written and the handler says `call.demand("auth_keys")`. `call.principal` is who asks, with
  `scopes` and, for an OAuth client, `tags`; `hatsize.api.v2.tags` tells which tags it may give away.
- Errors (a `Problem`, any RefusedError of a command, PolicyError) are told as `{"message", "data"?, "status"}`.
- `call.headers` and `call.parameters` are there for `If-Match`, `Accept` and filters that cannot be named beforehand; a
  `Reply` carries other content types and headers, and None is an answer without a body.
"""
